package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lzpage/lzpage/bench/guest"
)

// TestMain lets the test's binary be what the command runs itself as.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == takeDirty || os.Args[1] == putDirty) {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestBadArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-mem 64":                "-mem 64",
		"-generations 1":         "-generations 1",
		"-interval 0":            "-interval 0",
		"-rest 11":               "-rest 11",
		"-rounds 0 -lzpage true": "-rounds 0",
		"-nonsense":              "-nonsense",
		"gen000.ram":             `"gen000.ram"`,
		"-images .":              "nothing to do",
	} {
		var out bytes.Buffer
		if err := run(context.Background(), strings.Fields(args), &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", args, err, want)
		}
	}
}

// need skips the test where programs are missing; in CI it fails.
func need(t *testing.T, look func(string) (string, error), tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := look(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
}

func buildLzpage(t *testing.T) string {
	t.Helper()
	lzpage := filepath.Join(t.TempDir(), "lzpage")
	build := exec.Command("go", "build", "-o", lzpage, "./cmd/lzpage")
	build.Dir = "../.."
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, said)
	}
	return lzpage
}

// inventSeries returns three generations of two megabytes: zeros, text and
// noise. The second differs from the first in two words of pages 3 and 300 and
// in all of page 301, which was zero; the third from the second in one word of
// page 3.
func inventSeries() [3][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	image := make([]byte, 512*pageSize)
	for i := range 300 * pageSize {
		image[i] = "the shop sells tea "[random.IntN(19)]
	}
	for i := 310 * pageSize; i < 400*pageSize; i++ {
		image[i] = byte(random.Uint32())
	}
	second := bytes.Clone(image)
	copy(second[3*pageSize+80:], "12345678ABCDEFGH")
	copy(second[300*pageSize:], "12345678ABCDEFGH")
	for i := 301 * pageSize; i < 302*pageSize; i++ {
		second[i] = byte(i%255 + 1)
	}
	third := bytes.Clone(second)
	third[3*pageSize+4088]++
	return [3][]byte{image, second, third}
}

func writeSeries(t *testing.T, images [3][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i, image := range images {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("%d.ram", i)), image)
	}
	return dir
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func readReport(t *testing.T, dir string) (r report) {
	t.Helper()
	figures, err := os.ReadFile(filepath.Join(dir, "snapshots.json"))
	if err == nil {
		err = json.Unmarshal(figures, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestInventedSeries(t *testing.T) {
	need(t, exec.LookPath, "lz4", "zstd")
	lzpage := buildLzpage(t)
	images := inventSeries()
	from, dir := writeSeries(t, images), t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), []string{"-images", from, "-lzpage", lzpage, "-out", dir, "-rounds", "2"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())

	r := readReport(t, dir)
	if want := [2]difference{{3, 2 + 2 + 512}, {1, 1}}; len(r.Dirty) != 2 || [2]difference(r.Dirty) != want {
		t.Errorf("dirty %v, want %v", r.Dirty, want)
	}
	sizes := map[string][]kept{}
	for _, m := range r.Methods {
		sizes[m.Name] = m.Files
		if len(m.Files) != 3 {
			t.Fatalf("%s: %d files", m.Name, len(m.Files))
		}
		for g, f := range append(m.Files, kept{1, m.Restore}) {
			if f.Bytes <= 0 || f.Cost.Wall <= 0 || f.Cost.Memory <= 0 {
				t.Errorf("%s: file %d: %+v", m.Name, g, f)
			}
		}
	}
	if plain := sizes[plainDirty]; plain[0].Bytes != 512*pageSize || plain[1].Bytes != 3*(8+pageSize) || plain[2].Bytes != 8+pageSize {
		t.Errorf("dirty pages: %+v", plain)
	}
	for _, name := range []string{lzpageChain, denseLzpageChain} {
		if f := sizes[name]; f[2].Bytes >= sizes[plainDirty][2].Bytes || f[1].Bytes >= sizes[plainDirty][1].Bytes {
			t.Errorf("%s: an increment is larger than a copy of the pages: %+v", name, f)
		}
	}
	for g, image := range images {
		back := filepath.Join(t.TempDir(), "back")
		stream := filepath.Join(dir, chainDir, fmt.Sprintf("gen%03d.lzp", g))
		if said, err := exec.Command(lzpage, "decompress", "-q", "-o", back, stream).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, image) {
			t.Errorf("the chain that is left does not give generation %d: %v", g, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != "chain snapshots.json snapshots.md snapshots.svg" {
		t.Errorf("left: %s", got)
	}
}

func TestFailingMethodIsNamed(t *testing.T) {
	need(t, exec.LookPath, "lz4", "zstd")
	dir := t.TempDir()
	var out bytes.Buffer
	err := run(context.Background(), []string{"-images", writeSeries(t, inventSeries()), "-lzpage", "false", "-out", dir}, &out)
	if err == nil || !strings.Contains(err.Error(), lzpageChain) || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestWrongRestoreIsNoticed(t *testing.T) {
	images := inventSeries()
	s, err := openSeries(writeSeries(t, images), 3)
	if err != nil {
		t.Fatal(err)
	}
	c := comparison{ctx: context.Background(), series: s, work: t.TempDir(), rounds: 1,
		methods: []method{{name: "liar", suffix: "ram", newest: commands{{"cp", "{was}", "{back}"}}}}}
	_, err = c.restoreNewest(0, c.methods[0])
	if err == nil || !strings.Contains(err.Error(), "page at 0x3000") {
		t.Errorf("error %v", err)
	}
}

func TestOpenSeries(t *testing.T) {
	full := bytes.Repeat([]byte{1}, pageSize)
	for name, c := range map[string]struct {
		files [][]byte
		want  string
	}{
		"one image":       {[][]byte{full}, "1 images"},
		"other size":      {[][]byte{full, append(full[:pageSize:pageSize], full...)}, "not of one guest"},
		"not whole pages": {[][]byte{full[1:], full[1:]}, "4095 bytes"},
		"empty":           {[][]byte{{}, {}}, "0 bytes"},
	} {
		dir := t.TempDir()
		for i, f := range c.files {
			writeFile(t, filepath.Join(dir, fmt.Sprintf("%d.ram", i)), f)
		}
		if _, err := openSeries(dir, 9); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
	}
	s, err := openSeries(writeSeries(t, inventSeries()), 2)
	if err != nil || len(s.images) != 2 || filepath.Base(s.images[1]) != "1.ram" || s.size != 512*pageSize {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestNeedRoom(t *testing.T) {
	var said []string
	say := func(line string) { said = append(said, line) }
	if err := needRoom(t.TempDir(), 1<<62, "files", say); err == nil || !strings.Contains(err.Error(), "files take up to 4611686018.4 GB") || said != nil {
		t.Errorf("error %v after %q", err, said)
	}
	if err := needRoom(t.TempDir(), 1, "files", say); err != nil || len(said) != 1 {
		t.Errorf("error %v after %q", err, said)
	}
}

func TestDirtyPages(t *testing.T) {
	images := inventSeries()
	dir := writeSeries(t, images)
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%d.ram", i)) }
	copied := filepath.Join(dir, "dirty")
	if err := writeDirtyPages(path(0), path(1), copied); err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, page := range []int{3, 300, 301} {
		address := page * pageSize
		want = append(want, byte(address), byte(address>>8), byte(address>>16), 0, 0, 0, 0, 0)
		want = append(want, images[1][address:address+pageSize]...)
	}
	got, err := os.ReadFile(copied)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d of other content; %v", len(got), len(want), err)
	}
	if err := putDirtyPages(path(0), copied); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path(0)); err != nil || !bytes.Equal(now, images[1]) {
		t.Errorf("the pages put back do not make the next generation: %v", err)
	}
	writeFile(t, copied, want[:len(want)-1])
	if err := putDirtyPages(path(0), copied); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a copy that was cut off: error %v", err)
	}
	writeFile(t, path(0), images[0][:len(images[0])-pageSize])
	if err := writeDirtyPages(path(0), path(1), copied); err == nil || !strings.Contains(err.Error(), "not at the same page") {
		t.Errorf("images of two sizes: error %v", err)
	}
	if _, err := os.Stat(copied); !os.IsNotExist(err) {
		t.Errorf("a half-written copy is left: %v", err)
	}
}

func TestReport(t *testing.T) {
	r := report{
		CPU: "a CPU", CPUs: 2, Programs: []string{"zstd: 1"}, Origin: "invented", ImageBytes: 1 << 20, Rounds: 3,
		Dirty: []difference{{10, 20}, {30, 40}},
		Methods: []result{
			{Name: plainDirty, Files: []kept{{1000, cost{9, 9, 9 << 20}}, {100, cost{1, 2, 3 << 20}}, {300, cost{2, 3, 2 << 20}}}, Restore: cost{4, 5, 6 << 20}},
			{Name: "a < b", Files: []kept{{900, cost{}}, {10, cost{1, 1, 1 << 20}}, {80, cost{1, 1, 1 << 20}}}, Restore: cost{7, 8, 9 << 20}},
		},
	}
	text := r.markdown()
	for _, line := range []string{
		"| dirty pages | 1000 | 400 | 200 | 1.000 | 1.50 | 2.50 | 3 | 4.00 | 5.00 | 6 |",
		"| a < b | 900 | 90 | 45 | 0.225 | 1.00 | 1.00 | 1 | 7.00 | 8.00 | 9 |",
		"| 2 | 30 | 40 | 300 | 80 |",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	picture := r.picture()
	decoder := xml.NewDecoder(strings.NewReader(picture))
	lines := 0
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if start, is := token.(xml.StartElement); is && start.Name.Local == "polyline" {
			lines++
		}
	}
	// 100 bytes are half-way up a scale from 10 to 1000.
	if lines != 2 || !strings.Contains(picture, "205.0,230.0 ") {
		t.Errorf("%d lines in\n%s", lines, picture)
	}
}

func TestMedian(t *testing.T) {
	got := median([]cost{{5, 1, 10}, {1, 9, 30}, {2, 2, 20}})
	if want := (cost{2, 2, 20}); got != want {
		t.Errorf("median %v, want %v", got, want)
	}
	if got := median([]cost{{5, 1, 10}, {1, 9, 30}}); got != (cost{3, 5, 20}) {
		t.Errorf("median of two %v", got)
	}
}

func TestGuestSeries(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a guest for a minute")
	}
	need(t, guest.LookTool, guest.Tools()...)
	need(t, exec.LookPath, "lz4", "zstd")
	lzpage := buildLzpage(t)
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Minute)
	defer cancel()
	dir := t.TempDir()
	var out bytes.Buffer
	args := []string{"-mem", "256", "-generations", "3", "-interval", "2", "-rest", "1", "-rounds", "1", "-lzpage", lzpage, "-out", dir}
	if err := run(ctx, args, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	r := readReport(t, dir)
	if r.ImageBytes != 256<<20 || len(r.Dirty) != 2 {
		t.Fatalf("images of %d bytes, %d increments", r.ImageBytes, len(r.Dirty))
	}
	// at work it writes some hundred records, each to several pages
	if work, rest := r.Dirty[0].Pages, r.Dirty[1].Pages; work < 300 || rest == 0 || rest > work/2 {
		t.Errorf("%d pages changed at work, %d at rest", work, rest)
	}
}
