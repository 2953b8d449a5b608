package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// formatSize writes a number of bytes for people.
func formatSize(n uint64) string { return humanize.IBytes(n) }

// formatCount writes a number with what it counts: "1 page", "1,204 pages".
func formatCount(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}

// formatText writes a text from a stream. A stream may be anybody's: what
// would steer a terminal is quoted.
func formatText(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.Quote(s)
}

// formatLines writes lines that may hold texts from a stream, such as the name
// of a base in an error. What would steer a terminal is escaped.
func formatLines(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)): // no UTF-8
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r), r == '\n':
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// A sizeFlag is a number of bytes on the command line: 65536, 0x10000, 64KiB.
type sizeFlag uint64

func (f *sizeFlag) Set(s string) error {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		if n, err = humanize.ParseBytes(s); err != nil {
			return fmt.Errorf("a size is written like 65536, 0x10000 or 64KiB")
		}
	}
	*f = sizeFlag(n)
	return nil
}

func (f *sizeFlag) String() string { return strconv.FormatUint(uint64(*f), 10) }

func (f *sizeFlag) Type() string { return "size" }
