package main

import (
	"fmt"
	"time"
)

// idle is a workload that does nothing: Redis and PostgreSQL are there with
// their data, and the page cache holds files, but nobody asks for any.
type idle struct {
	store, db load
	cache     files
}

func newIdle(given settings, n *counts) (load, error) {
	free, err := freeMiB()
	if err != nil {
		return nil, err
	}
	parts := settings{"redis.size": fmt.Sprint(max(1, free/5)), "db.scale": fmt.Sprint(max(1, free/8/4))}
	for name, value := range given {
		parts[name] = value
	}
	store, err := newRedis(parts, n)
	if err != nil {
		return nil, err
	}
	db, err := newDB(parts, n)
	return &idle{store: store, db: db}, err
}

func (i *idle) set(string, string) error { return errNotASetting }

func (i *idle) prepare(step func(string, ...any)) (string, error) {
	inStore, err := i.store.prepare(step)
	if err != nil {
		return "", err
	}
	inDB, err := i.db.prepare(step)
	if err != nil {
		return "", err
	}
	free, err := freeMiB()
	if err != nil {
		return "", err
	}
	step("reading files")
	if err := i.cache.read("/usr", int64(free/2)<<20); err != nil {
		return "", err
	}
	return fmt.Sprintf("at rest: %s; %s; %d MiB of files in the page cache", inStore, inDB, i.cache.bytes>>20), nil
}

func (i *idle) work() error {
	time.Sleep(100 * time.Millisecond)
	return nil
}

func (i *idle) check() (n, bad int, text string, err error) {
	for _, part := range []load{i.store, i.db} {
		looked, found, _, err := part.check()
		n, bad = n+looked, bad+found
		if err != nil {
			return n, bad, "", err
		}
	}
	found, err := i.cache.bad()
	return n + len(i.cache.paths), bad + found, "records in Redis, rows in PostgreSQL and files", err
}
