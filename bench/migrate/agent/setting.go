package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// settings are the kernel's arguments of the form NAME=VALUE.
type settings map[string]string

func parseSettings(commandLine string) settings {
	s := settings{}
	for _, argument := range strings.Fields(commandLine) {
		if name, value, found := strings.Cut(argument, "="); found {
			s[name] = value
		}
	}
	return s
}

// number returns the setting of that name, or otherwise if it is not given.
func (s settings) number(name string, otherwise, least, most int) (int, error) {
	text, given := s[name]
	if !given {
		return otherwise, nil
	}
	return parseNumber(name, text, least, most)
}

func parseNumber(name, text string, least, most int) (int, error) {
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		return 0, fmt.Errorf("%s=%s: it must be a number from %d to %d", name, text, least, most)
	}
	return number, nil
}

// errNotASetting is for a setting that cannot be changed in a running guest.
var errNotASetting = errors.New("no setting that can be changed while the workload runs")
