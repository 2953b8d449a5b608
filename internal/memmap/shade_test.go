package memmap

import (
	"image/color"
	"math"
	"slices"
	"testing"

	"github.com/lzpage/lzpage/pagestream"
)

func TestShadeOf(t *testing.T) {
	for _, pageSize := range []uint64{512, 4 * kib, 16 * kib, 2 * mib} {
		for _, c := range []struct {
			kind   pagestream.Kind
			stored uint64
			want   shade
		}{
			{pagestream.Zero, 0, zero},
			{pagestream.Word, 9, word},
			{pagestream.Duplicate, 9, duplicate},
			{pagestream.Plain, pageSize, plain},
			{pagestream.Delta, 9, delta},
			{pagestream.Delta, pageSize - 1, delta},
			{pagestream.LZRW1, pageSize / 4, quarter},
			{pagestream.PlainPacked, pageSize/4 + 1, half},
			{pagestream.LZRW1Packed, pageSize / 2, half},
			{pagestream.LZRW1, pageSize/2 + 1, threeQuarters},
			{pagestream.LZRW1, pageSize * 3 / 4, threeQuarters},
			{pagestream.LZRW1, pageSize*3/4 + 1, shrunk},
			{pagestream.LZRW1, pageSize + 5, shrunk},
		} {
			if got := shadeOf(c.kind, c.stored, pageSize); got != c.want {
				t.Errorf("%v in %d of %d: shade %d, want %d", c.kind, c.stored, pageSize, got, c.want)
			}
		}
	}
}

func TestStack(t *testing.T) {
	for _, c := range []struct {
		name  string
		cell  cell
		pages uint64
		want  [maxShades]int
	}{
		{"one shade", cell{half: 4}, 4, [maxShades]int{half: 16}},
		{"halves", cell{zero: 1, plain: 1}, 2, [maxShades]int{zero: 16, plain: 8}},
		{"quarters", cell{zero: 1, duplicate: 1, half: 1, plain: 1}, 4,
			[maxShades]int{zero: 16, duplicate: 12, half: 8, plain: 4}},
		{"too little to see, below", cell{zero: 8191, plain: 1}, 8192, [maxShades]int{zero: 16, plain: 1}},
		{"too little to see, above", cell{word: 1, plain: 8191}, 8192, [maxShades]int{word: 16, plain: 15}},
		{"two too little to see", cell{zero: 8189, half: 2, plain: 1}, 8192, [maxShades]int{zero: 16, half: 1}},
		{"none there", cell{}, 8, [maxShades]int{absent: 16}},
		{"half there", cell{plain: 4}, 8, [maxShades]int{absent: 16, plain: 8}},
		{"one of many missing", cell{plain: 8191}, 8192, [maxShades]int{absent: 16, plain: 15}},
	} {
		if got := c.cell.stack(16, c.pages); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Any two colours must look different, to people with each kind of colour
// blindness too, as simulated by Machado, Oliveira and Fernandes (2009) at full
// severity. Distances are in Oklab, where black and white are 100 apart.
func TestColoursAreToldApart(t *testing.T) {
	type vec [3]float64
	visions := map[string][3]vec{
		"full":         {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
		"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
		"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
	}
	times := func(m [3]vec, v vec) (out vec) {
		for i, row := range m {
			out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
		}
		return out
	}
	linear := func(c color.RGBA) (out vec) {
		for i, v := range []uint8{c.R, c.G, c.B} {
			f := float64(v) / 255
			if f <= 0.04045 {
				out[i] = f / 12.92
			} else {
				out[i] = math.Pow((f+0.055)/1.055, 2.4)
			}
		}
		return out
	}
	oklab := func(v vec) vec {
		lms := times([3]vec{
			{0.4122214708, 0.5363325363, 0.0514459929},
			{0.2119034982, 0.6806995451, 0.1073969566},
			{0.0883024619, 0.2817188376, 0.6299787005},
		}, v)
		for i := range lms {
			lms[i] = math.Cbrt(lms[i])
		}
		return times([3]vec{
			{0.2104542553, 0.7936177850, -0.0040720468},
			{1.9779984951, -2.4285922050, 0.4505937099},
			{0.0259040371, 0.7827717662, -0.8086757660},
		}, lms)
	}
	clamp := func(v vec) vec {
		for i := range v {
			v[i] = min(max(v[i], 0), 1)
		}
		return v
	}

	white := color.RGBA{0xff, 0xff, 0xff, 0xff}
	colours := append(colors[:len(colors):len(colors)], white)
	for name, m := range visions {
		for i, a := range colours {
			for _, b := range colours[:i] {
				x, y := oklab(clamp(times(m, linear(a)))), oklab(clamp(times(m, linear(b))))
				if d := 100 * math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2]); d < 7.9 {
					t.Errorf("%s vision: %v and %v are %.1f apart", name, a, b, d)
				}
			}
		}
	}

	// Without any colour, a page that there is more to is darker.
	warm := []color.RGBA{yellow, amber, orange, rust, black}
	for i, c := range warm[1:] {
		if less, more := oklab(linear(warm[i]))[0], oklab(linear(c))[0]; more > less-0.1 {
			t.Errorf("%v is not darker than %v: lightness %.2f and %.2f", c, warm[i], more, less)
		}
	}
}

func TestSchemes(t *testing.T) {
	for name, s := range map[string]scheme{"map": mapScheme, "increment": incrementScheme, "changes": changeScheme} {
		if len(s) > maxShades {
			t.Errorf("%s: %d shades", name, len(s))
		}
		for i, a := range s {
			if !slices.Contains(colors, a.color) {
				t.Errorf("%s: %q has a colour that is not among those told apart", name, a.name)
			}
			for _, b := range s[:i] {
				if a.color == b.color || a.name == b.name {
					t.Errorf("%s: %q and %q are alike", name, a.name, b.name)
				}
			}
		}
	}
	if last := mapScheme[plain].name; last != "plain, did not shrink" {
		t.Errorf("plain pages are called %q", last)
	}
	if last := changeScheme[most].name; last != "more than 1/2 changed" {
		t.Errorf("the pages changed most are called %q", last)
	}
}
