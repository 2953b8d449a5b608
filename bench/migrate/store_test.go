package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoreGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s := setting{MemoryMiB: 512, Seed: 3, QEMU: "QEMU 10"}
	kept, err := openStore(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	first := run{Workload: "db", Link: "1gbit", Method: "none", Round: 1, Completed: true, Total: 4.5}
	if err := kept.add(first); err != nil {
		t.Fatal(err)
	}
	if err := kept.close(); err != nil {
		t.Fatal(err)
	}

	// an interrupted write
	path := filepath.Join(dir, storeName)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"workload":"db","li`); err != nil {
		t.Fatal(err)
	}
	file.Close()

	if kept, err = openStore(dir, s); err != nil {
		t.Fatal(err)
	}
	if !kept.has("db", "1gbit", "none", 1) {
		t.Error("the run is not there any more")
	}
	for _, other := range []run{
		{Workload: "redis", Link: "1gbit", Method: "none", Round: 1},
		{Workload: "db", Link: "100mbit", Method: "none", Round: 1},
		{Workload: "db", Link: "1gbit", Method: "xbzrle", Round: 1},
		{Workload: "db", Link: "1gbit", Method: "none", Round: 2},
	} {
		if kept.has(other.Workload, other.Link, other.Method, other.Round) {
			t.Errorf("there is a run %+v", other)
		}
	}
	if err := kept.add(run{Workload: "db", Link: "1gbit", Method: "xbzrle", Round: 1}); err != nil {
		t.Fatal(err)
	}
	kept.close()

	loaded, err := loadStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.setting != s {
		t.Errorf("setting %+v", loaded.setting)
	}
	if len(loaded.runs) != 2 || loaded.runs[0].Total != 4.5 || !loaded.runs[0].Completed || loaded.runs[1].Method != "xbzrle" {
		t.Errorf("runs %+v", loaded.runs)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(written), "\n"); got != 3 {
		t.Errorf("%d lines, want 3:\n%s", got, written)
	}
}

func TestStoreRefusesAnotherSetting(t *testing.T) {
	dir := t.TempDir()
	kept, err := openStore(dir, setting{MemoryMiB: 512})
	if err != nil {
		t.Fatal(err)
	}
	kept.close()
	if _, err := openStore(dir, setting{MemoryMiB: 1024}); err == nil || !strings.HasSuffix(err.Error(), ": memory_mib was 512 and is 1024") {
		t.Errorf("error %v", err)
	}
}

func TestStoreRefusesDamage(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, storeName), []byte("{}\nnonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := loadStore(dir); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
	if _, err := loadStore(t.TempDir()); err == nil {
		t.Error("no error where there is no store")
	}
}
