package main

import (
	"fmt"
	"strings"
)

// A load is a workload with settings: what the guest does.
type load struct {
	text     string // as the user gave it, NAME or NAME:SETTING=VALUE:...
	name     string
	settings [][2]string // name and value, changed once the guest is up
}

func parseLoad(text string) (load, error) {
	parts := strings.Split(text, ":")
	w := load{text: text, name: parts[0]}
	for _, part := range parts[1:] {
		name, value, found := strings.Cut(part, "=")
		if !found || name == "" || value == "" {
			return w, fmt.Errorf("workload %q: %q is not of the form SETTING=VALUE", text, part)
		}
		w.settings = append(w.settings, [2]string{w.name + "." + name, value})
	}
	return w, nil
}
