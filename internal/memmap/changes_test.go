package memmap

import (
	"image"
	"math/rand"
	"slices"
	"testing"

	"github.com/lzpage/lzpage/internal/memdiff"
	"github.com/lzpage/lzpage/pagestream"
)

// changed returns changes of all shades.
func changed(length uint64) *Changes {
	m := NewChanges(4 * kib)
	m.Title = "noise"
	m.Region(pagestream.Region{Name: "ram", Length: length})
	r := rand.New(rand.NewSource(4))
	for i := range length / (4 * kib) {
		p := memdiff.Page{Bytes: r.Intn(1 << r.Intn(13))}
		p.IsZero = r.Intn(4) == 0
		p.WasZero = p.Bytes == 0 && p.IsZero || p.Bytes > 0 && !p.IsZero && r.Intn(4) == 0
		m.Add(i, p)
	}
	m.Region(pagestream.Region{Address: 1 * tib, Length: 1 * mib})
	return m
}

func TestShadeOfChange(t *testing.T) {
	for _, c := range []struct {
		page memdiff.Page
		want shade
	}{
		{memdiff.Page{}, unchanged},
		{memdiff.Page{WasZero: true, IsZero: true}, stayedZero},
		{memdiff.Page{Bytes: 4000, IsZero: true}, becameZero},
		{memdiff.Page{Bytes: 1, WasZero: true}, wasZero},
		{memdiff.Page{Bytes: 1}, little},
		{memdiff.Page{Bytes: 64}, little},
		{memdiff.Page{Bytes: 65}, some},
		{memdiff.Page{Bytes: 512}, some},
		{memdiff.Page{Bytes: 513}, much},
		{memdiff.Page{Bytes: 2048}, much},
		{memdiff.Page{Bytes: 2049}, most},
		{memdiff.Page{Bytes: 4096}, most},
	} {
		if got := shadeOfChange(c.page, 4096); got != c.want {
			t.Errorf("%+v: %q, want %q", c.page, changeScheme[got].name, changeScheme[c.want].name)
		}
	}
}

func TestChanges(t *testing.T) {
	m := NewChanges(4 * kib)
	m.Title = "old.ram to new.ram"
	m.Region(pagestream.Region{Length: 64 * 4 * kib})
	for i := range uint64(64) {
		p := memdiff.Page{}
		switch i {
		case 3:
			p = memdiff.Page{WasZero: true, IsZero: true}
		case 5:
			p.Bytes = 64
		case 6:
			p.Bytes = 4096
		case 7:
			p = memdiff.Page{Bytes: 2016, IsZero: true}
		}
		m.Add(i, p)
	}
	m.Region(pagestream.Region{Address: 8 * mib, Length: 2 * 4 * kib})
	img := decoded(t, m)
	at := origin(t, img)
	for i, want := range []shade{unchanged, unchanged, unchanged, stayedZero, unchanged, little, most, becameZero, unchanged} {
		expect(t, img, changeScheme[want].name, at.Add(image.Pt(16*i+8, 8)), changeScheme[want].color)
	}
	y := at.Y + 17
	for !isShade(img.At(at.X, y)) {
		y++
	}
	expect(t, img, "only in one", image.Pt(at.X+31, y), changeScheme[absent].color)
	wantTexts(t, m, "old.ram to new.ram",
		"264 KiB of memory, 66 pages of 4 KiB: 3 pages changed (4.5 %), 6.03 KiB of them (2.3 %); 2 only in one of the two",
		"0x00000000 to 0x0003ffff, 256 KiB, 6.03 KiB changed",
		"0x00800000 to 0x00801fff, 8 KiB, only in one of the two",
		"only in one of the two", "zero in both", "unchanged", "60", "90.9 %", "became zero", "was zero", "changed")
	wantNoTexts(t, m, "stored", "Stream")
}

func TestZeroChangesInARun(t *testing.T) {
	single, run := changed(100*4*kib), changed(100*4*kib)
	for _, m := range []*Changes{single, run} {
		m.Region(pagestream.Region{Address: 2 * tib, Length: 3000 * 4 * kib})
	}
	for page := range uint64(2990) {
		single.Add(7+page, memdiff.Page{WasZero: true, IsZero: true})
	}
	run.AddZeros(7, 2990)
	if got, want := run.subtitle(), single.subtitle(); got != want {
		t.Errorf("%s, not %s", got, want)
	}
	if !slices.Equal(run.last().cells, single.last().cells) || run.shades != single.shades {
		t.Errorf("other cells, or shades: %v, not %v", run.shades, single.shades)
	}
}
