package main

import "fmt"

// A link is what a migration goes over.
type link struct {
	name string
	rate string  // in tc's notation, empty if unlimited
	unix bool    // a unix socket, which needs no root and counts no bytes
	bits float64 // a second; 0 if unlimited
}

var links = []link{
	{name: "100mbit", rate: "100mbit", bits: 100e6},
	{name: "1gbit", rate: "1gbit", bits: 1e9},
	{name: "unlimited"},
	{name: "unix", unix: true},
}

// linkNamed returns the link of a name.
func linkNamed(name string) (link, error) {
	for _, l := range links {
		if l.name == name {
			return l, nil
		}
	}
	return link{}, fmt.Errorf("no link is called %q", name)
}
