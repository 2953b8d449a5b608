package main

import (
	"fmt"
	"maps"
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

// checkSettings makes sure that loads of the same guest give the same settings:
// what one of them left out would be what the load before had left behind.
func checkSettings(loads []load) error {
	given := map[string]load{}
	for _, w := range loads {
		if other, is := given[w.name]; is && !maps.Equal(w.given(), other.given()) {
			return fmt.Errorf("workloads %q and %q: the guest is the same, so both must give the same settings", other.text, w.text)
		}
		given[w.name] = w
	}
	return nil
}

// given returns the names of the settings.
func (w load) given() map[string]bool {
	names := map[string]bool{}
	for _, setting := range w.settings {
		names[setting[0]] = true
	}
	return names
}
