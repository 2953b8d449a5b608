package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

// fakeRedis is a connection to a Redis that holds records.
type fakeRedis struct {
	redis.Conn
	records map[string][]byte
	replies []any
}

func (f *fakeRedis) Send(command string, args ...any) error {
	key := args[0].(string)
	switch {
	case command == "SET":
		f.records[key] = bytes.Clone(args[1].([]byte))
		f.replies = append(f.replies, "OK")
	case f.records[key] != nil:
		f.replies = append(f.replies, bytes.Clone(f.records[key]))
	default:
		f.replies = append(f.replies, nil)
	}
	return nil
}

func (f *fakeRedis) Flush() error { return nil }

func (f *fakeRedis) Receive() (any, error) {
	reply := f.replies[0]
	f.replies = f.replies[1:]
	return reply, nil
}

func (f *fakeRedis) Do(string, ...any) (any, error) { return int64(len(f.records)), nil }

func TestRedisCheck(t *testing.T) {
	var n counts
	l, err := newRedis(settings{"redis.size": "1", "redis.rate": "0"}, &n)
	if err != nil {
		t.Fatal(err)
	}
	s, fake := l.(*store), &fakeRedis{records: map[string][]byte{}}
	s.conn, s.text = fake, sampleText()
	for i := range s.generations {
		fake.records[recordKey(i)] = s.appendRecord(nil, i, 0)
	}
	old := bytes.Clone(fake.records[recordKey(0)])
	for range 300 {
		if err := s.work(); err != nil {
			t.Fatal(err)
		}
	}
	if n.ops.Load() != 300*batch || n.bad.Load() != 0 {
		t.Fatalf("%d updates, %d bad", n.ops.Load(), n.bad.Load())
	}
	verdict := func() (bad int) {
		looked, bad, _, err := s.check()
		if looked != len(s.generations) || err != nil {
			t.Errorf("looked at %d of %d, %v", looked, len(s.generations), err)
		}
		return bad
	}
	if bad := verdict(); bad != 0 {
		t.Errorf("%d bad", bad)
	}
	if s.generations[0] == 0 {
		t.Fatal("record 0 was never updated")
	}
	right := fake.records[recordKey(0)]
	flipped := bytes.Clone(right)
	flipped[len(flipped)-9] ^= 1
	for what, wrong := range map[string][]byte{"flipped": flipped, "old": old, "another's": fake.records[recordKey(1)], "cut": right[:len(right)-1]} {
		fake.records[recordKey(0)] = wrong
		if bad := verdict(); bad != 1 {
			t.Errorf("%s record: %d bad", what, bad)
		}
	}
	delete(fake.records, recordKey(0))
	if _, _, _, err := s.check(); err == nil || !strings.Contains(err.Error(), "keys") {
		t.Errorf("lost record: error %v", err)
	}
	if bad, err := s.get([]int{0, 1}); bad != 1 || err != nil {
		t.Errorf("reading a lost record: %d bad, %v", bad, err)
	}
}

func sampleText() text { return appendRecords(nil, rand.New(rand.NewPCG(1, 2)), 1<<16) }

func TestReadInto(t *testing.T) {
	name := filepath.Join(t.TempDir(), "manual")
	if err := os.WriteFile(name, []byte("perldoc"), 0o644); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]string{10: "perldoc", 7: "perldoc", 4: "perl", 0: ""} {
		room := make([]byte, size)
		if n, err := readInto(room, name); err != nil || string(room[:n]) != want {
			t.Errorf("into %d bytes: %q, %v", size, room[:n], err)
		}
	}
	if _, err := readInto(make([]byte, 4), name+"s"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestRecordsHaveTheirSize(t *testing.T) {
	s := store{text: sampleText()}
	for _, i := range []int{0, 1, 99999} {
		if got := len(s.appendRecord(nil, i, 12)); got < recordBytes-100 || got > recordBytes {
			t.Errorf("record %d has %d bytes", i, got)
		}
	}
	a, b := s.appendRecord(nil, 5, 1), s.appendRecord(nil, 5, 2)
	if end := bytes.Index(a, []byte(`","last"`)); !bytes.Contains(b, a[40:end]) || bytes.Equal(a[end:], b[end:]) {
		t.Error("a generation must change the last quarter and no more")
	}
}

func TestSumsOfBalances(t *testing.T) {
	if got := sums([]int64{5, -2, 7}); !slices.Equal(got, []int64{3, 10, 12}) {
		t.Errorf("got %d", got)
	}
	if slices.Equal(sums([]int64{5, -2, 7}), sums([]int64{5, 7, -2})) {
		t.Error("swapped balances have the same sums")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	content := bytes.Repeat([]byte("compiler "), 20000)
	path := filepath.Join(dir, "b")
	for name, data := range map[string][]byte{"a": []byte("short"), "b": content, "c": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	var f files
	if err := f.read(dir, 1<<30); err != nil || len(f.paths) != 3 || f.bytes != int64(5+len(content)) {
		t.Fatalf("%d files, %d bytes, %v", len(f.paths), f.bytes, err)
	}
	if bad, err := f.bad(); bad != 0 || err != nil {
		t.Errorf("%d bad, %v", bad, err)
	}
	swapped := bytes.Clone(content)
	copy(swapped[8:], content[64:72])
	copy(swapped[64:], content[8:16])
	flipped := bytes.Clone(content)
	flipped[100001] ^= 4
	for what, data := range map[string][]byte{"flipped": flipped, "swapped": swapped, "cut": content[:len(content)-1]} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if bad, err := f.bad(); bad != 1 || err != nil {
			t.Errorf("%s: %d bad, %v", what, bad, err)
		}
	}
	var some files
	if err := some.read(dir, 3); err != nil || len(some.paths) != 1 {
		t.Errorf("up to 3 bytes: %v, %v", some.paths, err)
	}
}

func TestCountProgress(t *testing.T) {
	said := " main twice\nAnalyzing\nTime variable  usr\n parsing : 0.1\nerror: no\n"
	n := 0
	last := countProgress(strings.NewReader(said), func() { n++ })
	if n != 3 || !strings.HasSuffix(strings.TrimSpace(string(last)), "error: no") {
		t.Errorf("%d words, %q", n, last)
	}
}

func TestCompileComparesObjects(t *testing.T) {
	var n counts
	l, err := newCompile(settings{}, &n)
	if err != nil {
		t.Fatal(err)
	}
	c := l.(*compile)
	c.dir = t.TempDir()
	object := filepath.Join(c.dir, programs[0][0]+".o")
	for i, content := range []string{"code", "code", "other"} {
		if err := os.WriteFile(object, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		c.next = 0
		if err := c.finish(); err != nil {
			t.Fatal(err)
		}
		if got, want := n.bad.Load(), uint64(i/2); got != want {
			t.Errorf("after %q: %d bad, want %d", content, got, want)
		}
	}
	if looked, bad, err := c.checkObjects(); looked != 3 || bad != 1 || err != nil {
		t.Errorf("%d objects, %d bad, %v", looked, bad, err)
	}
}
