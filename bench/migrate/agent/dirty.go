package main

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// dirty is a workload that writes to its memory at a given rate, page by page
// and over again. What a rewrite writes over is checked before, so that no
// damage is covered up; and check looks at all.
//
//	dirty.size    MiB of memory it fills; three quarters of what there is if not given
//	dirty.hot     MiB of these that it rewrites; 96, or all of them, if not given
//	dirty.rate    MiB it rewrites each second, 20 if not given
//	dirty.change  percentage of a page that each rewrite changes, 25 if not given
//	dirty.random  percentage of random lines, 20 if not given; a fifth is zero, the rest text
//
// All but the first can be changed while it runs.
type dirty struct {
	n      *counts
	memory []byte
	// headers has what each page must be. It lies apart from them: a page that
	// has an older content, right in itself, is found out.
	headers []header
	hot     int // pages
	next    int // the page to rewrite next

	pace    pace   // of pages
	changed uint64 // lines a rewrite
	random  uint64 // percent
}

func newDirty(given settings, n *counts) (load, error) {
	free, err := freeMiB()
	if err != nil {
		return nil, err
	}
	size, err := given.number("dirty.size", free/4*3, 1, 1<<20)
	if err != nil {
		return nil, err
	}
	d := &dirty{n: n, headers: make([]header, size<<20/pageBytes)}
	for name, value := range map[string]string{"dirty.hot": strconv.Itoa(min(96, size)), "dirty.rate": "20", "dirty.change": "25", "dirty.random": "20"} {
		if text, is := given[name]; is {
			value = text
		}
		if err := d.set(name, value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *dirty) set(name, value string) error {
	limits, is := map[string][2]int{"dirty.hot": {1, len(d.headers) * pageBytes >> 20}, "dirty.rate": {1, 1 << 20}, "dirty.change": {1, 100}, "dirty.random": {0, 100}}[name]
	if !is {
		return errNotASetting
	}
	number, err := parseNumber(name, value, limits[0], limits[1])
	if err != nil {
		return err
	}
	switch name {
	case "dirty.hot":
		d.hot = number << 20 / pageBytes
	case "dirty.rate":
		d.pace.rate = float64(number) * (1 << 20 / pageBytes)
	case "dirty.change":
		d.changed = max(1, uint64(number*contentLines+50)/100)
	case "dirty.random":
		d.random = uint64(number)
	}
	return nil
}

func (d *dirty) prepare(step func(string, ...any)) (string, error) {
	step("writing %d MiB", len(d.headers)*pageBytes>>20)
	var err error
	d.memory, err = unix.Mmap(-1, 0, len(d.headers)*pageBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return "", fmt.Errorf("memory of %d MiB: %w", len(d.headers)*pageBytes>>20, err)
	}
	for i := range d.headers {
		d.headers[i] = header{number: uint64(i), seed: mix(uint64(i)), changed: d.changed, random: d.random}
		d.headers[i].write(d.page(i))
	}
	return fmt.Sprintf("%d MiB filled, %d MiB of them rewritten at %.0f MiB/s",
		len(d.memory)>>20, d.hot*pageBytes>>20, d.pace.rate*pageBytes/(1<<20)), nil
}

func (d *dirty) page(i int) []byte { return d.memory[i*pageBytes:][:pageBytes] }

// work rewrites the pages that are due since the last time.
func (d *dirty) work() error {
	for range d.pace.due(64) {
		d.rewrite(d.next)
		d.next = (d.next + 1) % d.hot
	}
	return nil
}

func (d *dirty) rewrite(i int) {
	h, page := &d.headers[i], d.page(i)
	right := h.rightNext(page)
	if !right {
		d.n.bad.Add(1)
	}
	if !right || h.changed != d.changed || h.random != d.random {
		h.generation++
		h.base, h.changed, h.random = h.generation, d.changed, d.random
		h.write(page)
	} else {
		h.rewrite(page)
	}
	d.n.ops.Add(1)
}

func (d *dirty) check() (n, bad int, text string, err error) {
	var rewrites uint64
	for i := range d.headers {
		if !d.headers[i].right(d.page(i)) {
			bad++
		}
		rewrites += d.headers[i].generation
	}
	if done := d.n.ops.Load(); rewrites != done {
		return len(d.headers), bad, "", fmt.Errorf("the pages tell of %d rewrites, but %d were made", rewrites, done)
	}
	return len(d.headers), bad, "pages, all bytes of each", nil
}
