package main

import "fmt"

// A method is a way to migrate: capabilities and parameters, which both sides
// get beside the common ones.
type method struct {
	name         string
	capabilities []string
	parameters   map[string]any
	// postcopy has the guest move to the destination after the first round or
	// after postcopyAfter, whichever comes first.
	postcopy bool
	// cache names the parameter that gets the cache's size, if there is one.
	cache string
}

// channels is how many connections multifd makes.
const channels = 2

// downtimeLimit is for how many milliseconds QEMU may stop the guest, by its
// own estimate; the same as QEMU's default.
const downtimeLimit = 300

// switches are the capabilities that a method may have or not.
var switches = []string{"multifd", "xbzrle", "postcopy-ram", "postcopy-preempt", "auto-converge"}

var methods = []method{
	{name: "none"},
	{name: "xbzrle", capabilities: []string{"xbzrle"}, cache: "xbzrle-cache-size"},
	multifd("multifd-none", "none"),
	multifd("multifd-zlib", "zlib"),
	multifd("multifd-zstd", "zstd"),
	lzrw1("lzrw1-fast-delta", 0, true),
	lzrw1("lzrw1-dense-delta", 1, true),
	lzrw1("lzrw1-fast", 0, false),
	lzrw1("lzrw1-dense", 1, false),
	{name: "postcopy", capabilities: []string{"postcopy-ram"}, postcopy: true},
	// Pages that the guest waits for have a connection of their own.
	{name: "postcopy-preempt", capabilities: []string{"postcopy-ram", "postcopy-preempt"}, postcopy: true},
	{name: "auto-converge", capabilities: []string{"auto-converge"}},
}

func multifd(name, compression string) method {
	return method{
		name:         name,
		capabilities: []string{"multifd"},
		parameters:   map[string]any{"multifd-channels": channels, "multifd-compression": compression},
	}
}

func lzrw1(name string, level int, delta bool) method {
	m := multifd(name, "lzrw1")
	m.parameters["multifd-lzrw1-level"] = level
	if delta {
		m.cache = "multifd-lzrw1-cache-size"
	} else {
		m.parameters["multifd-lzrw1-cache-size"] = 0
	}
	return m
}

// methodNamed returns the method of a name.
func methodNamed(name string) (method, error) {
	for _, m := range methods {
		if m.name == name {
			return m, nil
		}
	}
	return method{}, fmt.Errorf("no method is called %q", name)
}
