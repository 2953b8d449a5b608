package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// A setting is what all runs of a measurement have in common.
type setting struct {
	MemoryMiB  int     `json:"memory_mib"` // of the guest
	CacheBytes int64   `json:"cache_bytes"`
	Limit      float64 `json:"limit_s"`
	Seed       uint64  `json:"seed"`
	Channels   int     `json:"multifd_channels"`
	Downtime   int     `json:"downtime_limit_ms"`
	QEMU       string  `json:"qemu"`           // its version
	QEMUHash   string  `json:"qemu_sha256"`    // of the program
	Library    string  `json:"library_sha256"` // of the library
	Agent      string  `json:"agent_sha256"`   // of the guests' first program
	CPU        string  `json:"cpu"`            // of the machine
	CPUs       int     `json:"cpus"`
	Kernel     string  `json:"kernel"`
}

// differences names what is not the same in another setting.
func (s setting) differences(now setting) string {
	var all []string
	was, is := reflect.ValueOf(s), reflect.ValueOf(now)
	for i := range was.NumField() {
		if a, b := was.Field(i).Interface(), is.Field(i).Interface(); a != b {
			all = append(all, fmt.Sprintf("%s was %v and is %v", was.Type().Field(i).Tag.Get("json"), a, b))
		}
	}
	return strings.Join(all, "; ")
}

// A store keeps runs in a file, one a line, after a line with their setting.
type store struct {
	setting setting
	runs    []run
	file    *os.File
}

// storeName is the file's name.
const storeName = "runs.jsonl"

// openStore opens the store in dir, or begins one. It is an error if there is
// one with another setting. A line that was not written to its end is dropped.
func openStore(dir string, s setting) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, storeName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	kept, whole, err := readStore(file)
	if err == nil && kept == nil {
		kept = &store{setting: s}
		kept.file = file
		err = kept.write(s)
	} else if err == nil {
		if kept.setting != s {
			err = fmt.Errorf("%s holds runs with another setting, take another directory: %s", path, kept.setting.differences(s))
		} else if err = file.Truncate(whole); err == nil {
			_, err = file.Seek(whole, io.SeekStart)
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	kept.file = file
	return kept, nil
}

// loadStore reads the store in dir.
func loadStore(dir string) (*store, error) {
	path := filepath.Join(dir, storeName)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	kept, _, err := readStore(file)
	if err == nil && kept == nil {
		err = fmt.Errorf("%s is empty", path)
	}
	return kept, err
}

// readStore reads a store, nil if there is nothing yet, and returns how many
// bytes its whole lines have.
func readStore(file *os.File) (kept *store, whole int64, err error) {
	input := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := input.ReadBytes('\n')
		if err == io.EOF {
			return kept, whole, nil
		} else if err != nil {
			return nil, 0, err
		}
		decode := json.NewDecoder(bytes.NewReader(line))
		decode.DisallowUnknownFields()
		if kept == nil {
			kept = &store{}
			err = decode.Decode(&kept.setting)
		} else {
			var r run
			err = decode.Decode(&r)
			kept.runs = append(kept.runs, r)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s, line %d: %w", file.Name(), number, err)
		}
		whole += int64(len(line))
	}
}

// add keeps a run.
func (s *store) add(r run) error {
	s.runs = append(s.runs, r)
	return s.write(r)
}

func (s *store) write(value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if _, err := s.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return s.file.Sync()
}

// has tells whether a run is there already.
func (s *store) has(workload, link, method string, round int) bool {
	for i := range s.runs {
		r := &s.runs[i]
		if r.Workload == workload && r.Link == link && r.Method == method && r.Round == round {
			return true
		}
	}
	return false
}

func (s *store) close() error { return s.file.Close() }
