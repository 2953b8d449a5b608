package main

import "testing"

func testDirty(t *testing.T) (*dirty, *counts) {
	t.Helper()
	var n counts
	l, err := newDirty(settings{"dirty.size": "2", "dirty.hot": "1", "dirty.rate": "100"}, &n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.prepare(func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	return l.(*dirty), &n
}

func TestDirtyFindsDamage(t *testing.T) {
	d, n := testDirty(t)
	for i := range 600 { // all pages twice, and some more
		d.rewrite(i % d.hot)
	}
	if looked, bad, _, err := d.check(); looked != 512 || bad != 0 || err != nil {
		t.Fatalf("%d pages, %d bad, %v", looked, bad, err)
	}
	d.memory[300*pageBytes+1234] ^= 1 // a page that is not rewritten
	d.memory[20*pageBytes+4095] ^= 1  // one that is
	if looked, bad, _, err := d.check(); looked != 512 || bad != 2 || err != nil {
		t.Errorf("two pages damaged: %d pages, %d bad, %v", looked, bad, err)
	}
	for i := range 4 * d.hot { // of a quarter each
		d.rewrite(i % d.hot)
	}
	if n.bad.Load() != 1 || n.ops.Load() != 600+4*256 {
		t.Errorf("counted %d bad of %d", n.bad.Load(), n.ops.Load())
	}
	if _, bad, _, err := d.check(); bad != 1 || err != nil {
		t.Errorf("%d bad after the rewrite, %v", bad, err)
	}
}

// A page and its entry in the table may both be of before.
func TestDirtyFindsLostRewrites(t *testing.T) {
	d, _ := testDirty(t)
	d.rewrite(3)
	h, page := d.headers[3], append([]byte(nil), d.page(3)...)
	d.rewrite(3)
	d.headers[3] = h
	copy(d.page(3), page)
	if _, _, _, err := d.check(); err == nil {
		t.Error("no error")
	}
}

func TestDirtySettings(t *testing.T) {
	d, n := testDirty(t)
	d.rewrite(0)
	for name, value := range map[string]string{"dirty.hot": "2", "dirty.change": "100", "dirty.random": "0", "dirty.rate": "7"} {
		if err := d.set(name, value); err != nil {
			t.Error(err)
		}
	}
	if d.pace.rate != 7*256 || d.hot != 512 {
		t.Errorf("%v pages a second of %d", d.pace.rate, d.hot)
	}
	d.rewrite(0)
	d.rewrite(0)
	if h := d.headers[0]; h.changed != contentLines || h.random != 0 || h.base != 2 || h.generation != 3 || !h.right(d.page(0)) {
		t.Errorf("page is %+v", h)
	}
	for _, wrong := range [][2]string{{"dirty.rate", "0"}, {"dirty.rate", "fast"}, {"dirty.change", "0"}, {"dirty.random", "101"}, {"dirty.hot", "3"}, {"dirty.size", "1"}, {"rate", "3"}} {
		if err := d.set(wrong[0], wrong[1]); err == nil {
			t.Errorf("%s=%s is taken", wrong[0], wrong[1])
		}
	}
	if d.pace.rate != 7*256 || d.hot != 512 || d.changed != contentLines || d.random != 0 {
		t.Error("a refused setting has changed something")
	}
	for _, wrong := range []settings{{"dirty.size": "0"}, {"dirty.size": "4", "dirty.hot": "5"}, {"dirty.size": "4", "dirty.change": "x"}} {
		if _, err := newDirty(wrong, n); err == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}
