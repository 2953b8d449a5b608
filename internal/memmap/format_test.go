package memmap

import "testing"

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{formatBytes(0), "0 B"},
		{formatBytes(1023), "1023 B"},
		{formatBytes(4096), "4 KiB"},
		{formatBytes(1536), "1.50 KiB"},
		{formatBytes(22334668), "21.3 MiB"},
		{formatBytes(102400 * 1.01), "101 KiB"},
		{formatBytes(1<<30 - 1<<18), "1.00 GiB"},
		{formatBytes(1 << 40), "1 TiB"},
		{formatBytes(1 << 70), "1024 EiB"},
		{formatNumber(9.996), "10.0"},
		{formatNumber(99.96), "100"},
		{formatPages(1), "1 page"},
		{formatPages(4096), "4,096 pages"},
		{formatPages(268435456), "268,435,456 pages"},
		{formatShare(0, 0), "0 %"},
		{formatShare(0, 7), "0 %"},
		{formatShare(7, 7), "100 %"},
		{formatShare(1, 3), "33.3 %"},
		{formatShare(1, 1e9), "< 0.1 %"},
		{formatShare(1e9-1, 1e9), "> 99.9 %"},
		{formatShare(3, 2), "150.0 %"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
