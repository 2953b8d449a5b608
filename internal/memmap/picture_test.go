package memmap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math/rand"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

func decoded(t *testing.T, m pictured) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(pngOf(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func isShade(c color.Color) bool {
	return slices.Contains(colors, color.RGBAModel.Convert(c).(color.RGBA))
}

// origin finds the first cell's top left corner: the first pixel of a shade's
// colour in the columns that are left of the panel.
func origin(t *testing.T, img image.Image) image.Point {
	t.Helper()
	for y := 0; y < img.Bounds().Dy(); y++ {
		for x := 0; x < 1100; x++ {
			if isShade(img.At(x, y)) {
				return image.Pt(x, y)
			}
		}
	}
	t.Fatal("no cell found")
	return image.Point{}
}

func expect(t *testing.T, img image.Image, what string, p image.Point, want color.Color) {
	t.Helper()
	if got := color.RGBAModel.Convert(img.At(p.X, p.Y)); got != want {
		t.Errorf("%s at %v: %v, want %v", what, p, got, want)
	}
}

func TestCellsOfOnePage(t *testing.T) {
	kinds := []struct {
		kind   pagestream.Kind
		stored int
		want   shade
	}{
		{pagestream.Zero, 1, zero},
		{pagestream.Word, 9, word},
		{pagestream.Duplicate, 10, duplicate},
		{pagestream.Plain, 4101, plain},
		{pagestream.LZRW1, 600, quarter},
		{pagestream.LZRW1Packed, 2000, half},
		{pagestream.PlainPacked, 3000, threeQuarters},
		{pagestream.LZRW1, 4000, shrunk},
	}
	for _, c := range []struct{ pages, side int }{
		{130, 16}, {4096, 16}, {4097, 8}, {16384, 8}, {16385, 4}, {65536, 4},
	} {
		m := New(4 * kib)
		m.Region(pagestream.Region{Length: uint64(c.pages) * 4 * kib})
		for i := range c.pages {
			k := kinds[i%7] // 7 and not 8, so that columns differ
			m.Add(uint64(i), k.kind, k.stored)
		}
		img := decoded(t, m)
		at, columns := origin(t, img), 1024/c.side
		for i := range c.pages {
			cell := at.Add(image.Pt(i%columns*c.side, i/columns*c.side))
			expect(t, img, "top left", cell, mapScheme[kinds[i%7].want].color)
			expect(t, img, "bottom right", cell.Add(image.Pt(c.side-1, c.side-1)), mapScheme[kinds[i%7].want].color)
		}
		if c.pages%columns != 0 {
			expect(t, img, "behind the last", at.Add(image.Pt(c.pages%columns*c.side, c.pages/columns*c.side)), color.RGBA{255, 255, 255, 255})
		}
	}
}

func TestCellsOfSeveralPages(t *testing.T) {
	m := New(4 * kib)
	const pages = 1 << 18 // 4 a cell
	m.Region(pagestream.Region{Length: pages * 4 * kib})
	for i := uint64(0); i < pages; i += 4 {
		m.AddZeros(i, 1)
		m.Add(i+1, pagestream.Plain, 4101)
		m.Add(i+2, pagestream.Duplicate, 9)
		if i/4%2 == 0 {
			m.Add(i+3, pagestream.Plain, 4101)
		} else {
			m.Add(i+3, pagestream.LZRW1, 700)
		}
	}
	img := decoded(t, m)
	at := origin(t, img)
	for _, cell := range []int{0, 1, 2, 1023, 1024, 1025, 65535} {
		top := at.Add(image.Pt(cell%1024, cell/1024*18)) // 16 pixels and a gap of 2
		for y, want := range []shade{zero, duplicate, quarter, plain} {
			if cell%2 == 0 && want == quarter {
				want = plain
			}
			for i := range 4 {
				expect(t, img, fmt.Sprintf("cell %d", cell), top.Add(image.Pt(0, 4*y+i)), mapScheme[want].color)
			}
		}
		expect(t, img, "gap", top.Add(image.Pt(0, 16)), color.RGBA{255, 255, 255, 255})
	}
}

func TestOnePageInATebibyteShows(t *testing.T) {
	m := New(4 * kib)
	const pages, odd = tib / (4 * kib), 200_000_000
	m.Region(pagestream.Region{Length: tib})
	m.AddZeros(0, odd)
	m.Add(odd, pagestream.Plain, 4101)
	m.AddZeros(odd+1, pages-odd-1)
	img := decoded(t, m)
	const cell = odd / 4096 // 2^28 pages in 2^16 cells
	bottom := origin(t, img).Add(image.Pt(cell%1024, cell/1024*18+15))
	expect(t, img, "the page", bottom, mapScheme[plain].color)
	for _, d := range []image.Point{{-1, 0}, {1, 0}, {0, -1}} {
		expect(t, img, "beside the page", bottom.Add(d), mapScheme[zero].color)
	}
}

func TestMissingPages(t *testing.T) {
	m := New(4 * kib)
	m.Region(pagestream.Region{Length: 64 * 4 * kib})
	m.AddZeros(0, 10)
	m.Add(20, pagestream.Plain, 4101)
	img := decoded(t, m)
	at := origin(t, img)
	expect(t, img, "page 9", at.Add(image.Pt(9*16, 0)), mapScheme[zero].color)
	expect(t, img, "page 10", at.Add(image.Pt(10*16, 0)), mapScheme[absent].color)
	expect(t, img, "page 20", at.Add(image.Pt(20*16, 0)), mapScheme[plain].color)
	expect(t, img, "page 63", at.Add(image.Pt(63*16, 0)), mapScheme[absent].color)
	wantTexts(t, m, "missing from the stream", "missing", "82.8 %",
		"0x00000000 to 0x0003ffff, 256 KiB, stored in 4.00 KiB (9.1 %)",
		"256 KiB of memory, 64 pages of 4 KiB, 53 missing, the others stored in 4.00 KiB: ratio 11.0, 9.1 % of their size")
	wantNoTexts(t, noise(1*mib), "missing")
}

func TestKeptPages(t *testing.T) {
	m := NewIncrement(4 * kib)
	m.Region(pagestream.Region{Length: 64 * 4 * kib})
	m.Add(20, pagestream.Delta, 300)
	m.AddZeros(21, 3)
	img := decoded(t, m)
	at := origin(t, img)
	expect(t, img, "page 19", at.Add(image.Pt(19*16, 0)), grey)
	expect(t, img, "page 20", at.Add(image.Pt(20*16, 0)), navy)
	expect(t, img, "page 23", at.Add(image.Pt(23*16, 0)), silver)
	expect(t, img, "page 63", at.Add(image.Pt(63*16, 0)), grey)
	wantTexts(t, m, "kept as in the base", "kept", "what differs from its earlier version", "delta",
		"256 KiB of memory, 64 pages of 4 KiB, 60 kept, the others stored in 300 B: ratio 54.6, 1.8 % of their size")
	wantNoTexts(t, m, "missing")
}

// The bar of memory is as wide as the panel, that of the stream in proportion.
func TestShareBars(t *testing.T) {
	m := New(4 * kib)
	m.Region(pagestream.Region{Length: 100 * 4 * kib})
	m.AddZeros(0, 50)
	for i := range uint64(50) {
		m.Add(50+i, pagestream.LZRW1, 2*kib)
	}
	m.StreamBytes = 150 * kib // 50 KiB of them beside pages
	img := decoded(t, m)
	const width = 440
	x := img.Bounds().Dx() - 28 - width
	y := 0
	next := func() {
		for ; isShade(img.At(x, y)); y++ {
		}
		for ; !isShade(img.At(x, y)); y++ {
		}
	}
	white := color.RGBA{255, 255, 255, 255}
	next()
	expect(t, img, "memory, left of it", image.Pt(x-1, y), white)
	expect(t, img, "memory, last zero", image.Pt(x+219, y), mapScheme[zero].color)
	expect(t, img, "memory, first shrunk", image.Pt(x+220, y), mapScheme[half].color)
	expect(t, img, "memory, last shrunk", image.Pt(x+439, y), mapScheme[half].color)
	expect(t, img, "memory, right of it", image.Pt(x+440, y), white)
	next()
	expect(t, img, "stream, last shrunk", image.Pt(x+109, y), mapScheme[half].color)
	expect(t, img, "stream, first of the rest", image.Pt(x+110, y), restColor)
	expect(t, img, "stream, last of the rest", image.Pt(x+164, y), restColor)
	expect(t, img, "stream, right of it", image.Pt(x+165, y), white)
}

// textsOf parses an SVG and returns its texts.
func textsOf(t *testing.T, m pictured) []string {
	t.Helper()
	var texts []string
	d := xml.NewDecoder(bytes.NewReader(svgOf(t, m)))
	in := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if in = e.Name.Local == "text"; in {
				texts = append(texts, "")
			}
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in {
				texts[len(texts)-1] += string(e)
			}
		}
	}
}

func wantTexts(t *testing.T, m pictured, want ...string) {
	t.Helper()
	texts := textsOf(t, m)
	for _, w := range want {
		if !slices.Contains(texts, w) {
			t.Errorf("no text %q in %q", w, texts)
		}
	}
}

func wantNoTexts(t *testing.T, m pictured, parts ...string) {
	t.Helper()
	for _, s := range textsOf(t, m) {
		for _, p := range parts {
			if strings.Contains(s, p) {
				t.Errorf("text %q", s)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	m := New(4 * kib)
	m.Title = "guest <1> & \"co\".lzp"
	m.Region(pagestream.Region{Name: "low", Length: 3 * gib})
	m.AddZeros(0, 3*gib/(4*kib))
	m.Region(pagestream.Region{Name: "a&b<c>", Address: 4 * gib, Length: 1 * gib})
	m.AddZeros(0, 1*gib/(4*kib)-1)
	m.Add(1*gib/(4*kib)-1, pagestream.LZRW1, 1<<10)
	m.StreamBytes = 4 * mib
	wantTexts(t, m,
		"guest <1> & \"co\".lzp",
		"4 GiB of memory, 1,048,576 pages of 4 KiB, stored in 4 MiB: ratio 1024, 0.1 % of their size",
		"1 cell = 16 pages = 64 KiB", "1 row = 1,024 cells = 64 MiB",
		"Colours", "zero", "one word throughout", "equal to an earlier page", "shrunk to 1/4 or less",
		"shrunk to 1/2 or less", "shrunk to 3/4 or less", "shrunk by less than 1/4", "plain, did not shrink",
		"Kinds", "word", "duplicate", "plain", "lzrw1", "plain-packed", "lzrw1-packed",
		"1,048,575", "> 99.9 %", "< 0.1 %", "1 KiB", "headers, index and the like",
		"low", "0x000000000 to 0x0bfffffff, 3 GiB, stored in 0 B (0 %)",
		"0x0c0000000 to 0x0ffffffff: hole of 1 GiB, not to scale",
		"a&b<c>", "0x100000000 to 0x13fffffff, 1 GiB, stored in 1 KiB (< 0.1 %)",
		"+0", "+16 MiB", "+32 MiB", "+48 MiB", "+64 MiB",
		"0x000000000", "0x008000000", "0x0b8000000", "0x100000000", "0x138000000",
	)
}

func TestHoles(t *testing.T) {
	regions := func(starts ...uint64) *Map {
		m := New(4 * kib)
		for _, a := range starts {
			m.Region(pagestream.Region{Address: a, Length: 1 * mib})
			m.AddZeros(0, 256)
		}
		return m
	}
	wantNoTexts(t, regions(0), "hole")
	wantNoTexts(t, regions(0, 1*mib), "hole")     // one ends where the next begins
	wantNoTexts(t, regions(8*mib, 1*mib), "hole") // backwards
	wantTexts(t, regions(0, 1*mib+4*kib), "0x00100000 to 0x00100fff: hole of 4 KiB, not to scale")

	// Behind the hole the second region starts a row of its own.
	img := decoded(t, regions(0, 8*mib))
	at := origin(t, img)
	y := at.Y + 4*16 // 256 pages in rows of 64
	for !isShade(img.At(at.X, y)) {
		y++
	}
	expect(t, img, "last of the first region", image.Pt(at.X+1023, at.Y+63), mapScheme[zero].color)
	expect(t, img, "hole", image.Pt(at.X, at.Y+64), color.RGBA{255, 255, 255, 255})
	expect(t, img, "last of the second region", image.Pt(at.X+1023, y+63), mapScheme[zero].color)
	expect(t, img, "below", image.Pt(at.X+1023, y+64), color.RGBA{255, 255, 255, 255})
	if gap := y - at.Y - 64; gap < 30 || gap > 100 {
		t.Errorf("the hole is %d pixels high", gap)
	}
}

func TestManyRegions(t *testing.T) {
	m := New(512)
	for i := range uint64(1000) {
		m.Region(pagestream.Region{Name: fmt.Sprint("r", i), Address: i << 33, Length: 1024})
		m.Add(0, pagestream.Plain, 517)
		m.AddZeros(1, 1)
	}
	wantTexts(t, m, "r0", "r14", "985 regions", "985 KiB in all, one behind the other, stored in 497 KiB (50.5 %)", "+0x0000000000")
	wantNoTexts(t, m, "r15")
}

func TestEmpty(t *testing.T) {
	wantTexts(t, New(4*kib), "Memory map", "No memory", "There are no pages of memory to draw.", "zero")
	decoded(t, New(4*kib))

	m := New(4 * kib)
	m.Region(pagestream.Region{Length: 0})
	m.Region(pagestream.Region{Length: pagestream.UnknownLength})
	wantTexts(t, m, "No memory")
}

func TestPageSizes(t *testing.T) {
	for size, want := range map[int]string{
		512: "512 B", 1 * kib: "1 KiB", 4 * kib: "4 KiB", 64 * kib: "64 KiB", 2 * mib: "2 MiB",
	} {
		m := New(size)
		m.Region(pagestream.Region{Length: uint64(100*size) - 1}) // the last page is not whole
		m.AddZeros(0, 99)
		m.Add(99, pagestream.LZRW1, size/2)
		wantTexts(t, m, "1 cell = 1 page = "+want, "100")
		img := decoded(t, m)
		expect(t, img, want+" pages: the last", origin(t, img).Add(image.Pt(35*16, 16)), mapScheme[half].color)
	}
}

var pathParts = regexp.MustCompile(`([Mhvz])(-?\d+)?(?: (-?\d+))?`)

// fill paints the outline of bars that a path describes.
func fill(t *testing.T, img *image.RGBA, c color.RGBA, path string) {
	t.Helper()
	var x, y, base int
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%v in path %q", err, path)
		}
		return n
	}
	if rest := pathParts.ReplaceAllString(path, ""); rest != "" {
		t.Fatalf("path has %q", rest)
	}
	for _, p := range pathParts.FindAllStringSubmatch(path, -1) {
		switch p[1] {
		case "M":
			x, y = number(p[2]), number(p[3])
			base = y
		case "v":
			y += number(p[2])
		case "h":
			for range number(p[2]) {
				for i := y; i < base; i++ {
					img.SetRGBA(x, i, c)
				}
				x++
			}
		case "z":
			if y != base {
				t.Fatalf("path ends %d above its base", base-y)
			}
		}
	}
}

// SVG and PNG must show the same cells, swatches and bars.
func TestSVGEqualsPNG(t *testing.T) {
	holes := New(4 * kib)
	holes.Region(pagestream.Region{Length: 3 * mib})
	addNoise(holes, 5, 700)
	holes.Region(pagestream.Region{Address: 8 * mib, Length: pagestream.UnknownLength})
	addNoise(holes, 6, 5000)
	holes.StreamBytes = 30 * mib

	ofShade := map[[4]byte]bool{}
	for _, c := range colors {
		ofShade[[4]byte{c.R, c.G, c.B, c.A}] = true
	}
	grouped := New(4 * kib)
	grouped.Region(pagestream.Region{Length: 400 * mib})
	addNoise(grouped, 7, 10_000)

	for _, m := range []pictured{noise(1 * mib), grouped, holes, changed(1 * mib), changed(400 * mib)} {
		img := decoded(t, m)
		want, got := image.NewRGBA(img.Bounds()), image.NewRGBA(img.Bounds())
		draw.Draw(want, want.Bounds(), img, image.Point{}, draw.Src)
		d := xml.NewDecoder(bytes.NewReader(svgOf(t, m)))
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			e, ok := token.(xml.StartElement)
			if !ok || e.Name.Local != "path" {
				continue
			}
			var c color.RGBA
			if _, err := fmt.Sscanf(e.Attr[0].Value, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
				t.Fatal(err)
			}
			c.A = 0xff
			fill(t, got, c, e.Attr[1].Value)
		}
		differ := 0
		for i := 0; i < len(want.Pix); i += 4 {
			a, b := [4]byte(want.Pix[i:]), [4]byte(got.Pix[i:])
			if a != b && (ofShade[a] || ofShade[b]) {
				differ++
			}
		}
		if differ > 0 {
			t.Errorf("%d pixels differ", differ)
		}
	}
}

// Noise leaves next to no equal neighbours to merge.
func TestSVGSize(t *testing.T) {
	for _, length := range []uint64{256 * mib, 512 * mib, 1 * gib} {
		if n := len(svgOf(t, noise(length))); n > 3*mib {
			t.Errorf("%d MiB of noise: SVG of %d bytes", length/mib, n)
		}
	}
}

// boxes is a canvas that keeps where texts are.
type boxes struct {
	faces faces
	boxes []image.Rectangle
	texts []string
}

func (b *boxes) bars(color.RGBA, int, int, []bar) {}

func (b *boxes) text(x, y int, t textStyle, a anchor, s string) {
	// A tenth more than here: an SVG may be shown in a wider font.
	w := b.faces.width(t, s) * 11 / 10
	switch a {
	case middle:
		x -= w / 2
	case right:
		x -= w
	}
	metrics := b.faces[t].Metrics()
	b.boxes = append(b.boxes, image.Rect(x, y-metrics.CapHeight.Ceil(), x+w, y+metrics.Descent.Ceil()))
	b.texts = append(b.texts, s)
}

func TestTextsDoNotOverlap(t *testing.T) {
	maps := map[string]pictured{"empty": New(4 * kib), "noise": noise(16 * mib), "grouped": noise(300 * mib)}

	long := noise(100 * mib)
	long.Title = strings.Repeat("directory/", 50)
	long.StreamBytes = 1 * gib
	long.Region(pagestream.Region{Name: strings.Repeat("W", 300), Address: 1 << 62, Length: 1 * mib})
	addNoise(long, 7, 200)
	maps["long"] = long

	numbers := New(512)
	for i := range uint64(40) {
		numbers.Region(pagestream.Region{Name: "ram", Address: i << 56, Length: 1<<55 - 512})
		numbers.AddZeros(0, 1<<46-3)
		numbers.Add(1<<46-2, pagestream.Plain, 517)
	}
	numbers.StreamBytes = 1<<60 + 1
	maps["large numbers"] = numbers

	r := rand.New(rand.NewSource(1))
	small := New(4 * kib)
	for i := range uint64(12) {
		small.Region(pagestream.Region{Name: "rom", Address: i * mib, Length: uint64(1+r.Intn(256)) * 4 * kib})
		addNoise(small, int64(i), 1)
	}
	maps["small regions"] = small

	maps["no changes"] = NewChanges(4 * kib)
	maps["changes"] = changed(16 * mib)
	maps["grouped changes"] = changed(300 * mib)

	for name, m := range maps {
		fs, err := newFaces()
		if err != nil {
			t.Fatal(err)
		}
		p := newPicture(m, fs)
		if p.width < 1200 || p.width > 2000 || p.height > 2000 {
			t.Errorf("%s: %d by %d pixels", name, p.width, p.height)
		}
		b := &boxes{faces: fs}
		p.draw(b)
		inside := image.Rect(0, 0, p.width, p.height)
		for i, box := range b.boxes {
			if !box.In(inside) {
				t.Errorf("%s: %q at %v is outside of the picture, %v", name, b.texts[i], box, inside)
			}
			for j, other := range b.boxes[:i] {
				if box.Overlaps(other) {
					t.Errorf("%s: %q at %v overlaps %q at %v", name, b.texts[i], box, b.texts[j], other)
				}
			}
		}
	}
}
