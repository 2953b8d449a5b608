package main

import "testing"

func TestFormatLines(t *testing.T) {
	for in, want := range map[string]string{
		"two\nlines of \u00fcmlaut \ufffd": "two\nlines of \u00fcmlaut \ufffd",
		"\x1b[31m \a \u009b \u202e \r":     `\x1b[31m \a \u009b \u202e \r`,
		"no UTF-8: \x9b31m, cut: \xe2\x82": `no UTF-8: \x9b31m, cut: \xe2\x82`,
		`"quoted" isn't changed`:           `"quoted" isn't changed`,
	} {
		if got := formatLines(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}
