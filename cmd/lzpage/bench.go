package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/lzpage/lzpage/internal/image"
	"github.com/lzpage/lzpage/lzrw1/asm"
	"github.com/lzpage/lzpage/pagestream"
	"github.com/spf13/cobra"
)

// linkRates are what streams are sent over, in Gbit/s.
var linkRates = []float64{1, 10, 25, 100}

// A benchmark is a call of lzpage bench.
type benchmark struct {
	*app
	format   string
	pageSize sizeFlag
	sample   sizeFlag
	levels   []string
	clusters []int
	rounds   int
}

func newBenchCommand(a *app) *cobra.Command {
	r := &benchmark{app: a, pageSize: pagestream.DefaultPageSize, sample: 256 << 20}
	c := &cobra.Command{
		Use:   "bench [flags] FILE",
		Short: "Measure what a memory image comes to on this machine",
		Long: `Bench measures, for each level and cluster size, how far the memory in FILE
shrinks, how fast this machine encodes and decodes it, with one core and with
all, and what one core takes of CPU time. FILE is a memory image, not a stream.

It holds a sample of the memory, pieces of 1 MiB from all over it (of a pipe,
its beginning), without the holes of a sparse file, which compress does not
read. It works from memory to memory, so disks do not count, and takes up to
three times the sample of memory itself. All variants take turns, each as often
as --rounds says, and the median counts. Other work on the machine disturbs it.

The last table says what that means where memory is sent over a link: how many
GB of memory a second arrive if the sender encodes and the receiver decodes as
it comes. That is the least of three,

    the link's rate times the ratio,
    the speed of encoding with all cores,
    the speed of decoding with all cores,

with, in brackets, how many times as much that is as without lzpage.`,
		Example: `  lzpage bench guest.ram
  lzpage bench --levels fast --clusters 16 --rounds 9 guest.elf
  lzpage bench --json guest.ram | jq '.results[] | [.level, .cluster_pages, .ratio]'`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	f.StringVar(&r.format, "format", string(image.Auto), "what FILE is: auto, raw, elf or lime")
	complete(c, "format", string(image.Auto), string(image.Raw), string(image.ELF), string(image.LiME))
	f.Var(&r.pageSize, "page-size", "the guest's page `size`")
	f.Var(&r.sample, "sample", "how much of the memory to take, a `size`")
	f.Lookup("sample").DefValue = "256MiB"
	f.StringSliceVar(&r.levels, "levels", []string{"fast", "dense"}, "`levels` to measure")
	f.IntSliceVar(&r.clusters, "clusters", []int{1, 4, 16, 64}, "cluster sizes to measure, in `pages`")
	f.IntVar(&r.rounds, "rounds", 3, "`number` of times that each is measured")
	f.UintVarP(&a.threads, "threads", "t", 0, "`number` of cores that count as all; 0: those that this process may use")
	addJSONFlag(c, a)
	return c
}

// A benchReport says what was measured.
type benchReport struct {
	Input    string        `json:"input"`
	Sample   int           `json:"sample_bytes"`
	PageSize int           `json:"page_size"`
	Cores    int           `json:"cores"`
	Kernels  string        `json:"kernels"`
	Rounds   int           `json:"rounds"`
	Results  []benchResult `json:"results"`
}

// A benchResult is of one variant. Speeds are in bytes of memory a second.
type benchResult struct {
	Level        string      `json:"level"`
	ClusterPages int         `json:"cluster_pages"`
	Ratio        float64     `json:"ratio"`
	Encode       codecResult `json:"encode"`
	Decode       codecResult `json:"decode"`
	Links        []link      `json:"links"`
}

type codecResult struct {
	OneCore   float64 `json:"one_core_bytes_per_second"`
	AllCores  float64 `json:"all_cores_bytes_per_second"`
	CPUPerGiB float64 `json:"cpu_seconds_per_gib,omitempty"` // absent where the system does not tell
}

type link struct {
	Rate       float64 `json:"gbit_per_second"`
	Throughput float64 `json:"bytes_per_second"`
	Speedup    float64 `json:"speedup"` // over the plain link
}

// A variant is measured: its options, and what each round took.
type variant struct {
	options pagestream.Options
	ratio   float64
	one     [2][]took // with one core, by direction
	all     [2][]took // with all cores
}

const (
	encoding = iota
	decoding
)

// took is what a run took, in seconds.
type took struct{ wall, cpu float64 }

func (r *benchmark) run(ctx context.Context, name string) error {
	cores := r.useThreads(maxThreads)
	variants, err := r.variants()
	if err != nil {
		return err
	}
	in, err := open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	sample, err := r.takeSample(ctx, in)
	if err != nil {
		return err
	}
	if len(sample) == 0 {
		return in.fail(errors.New("there is no memory in it, or only holes"))
	}
	if err := r.measureAll(ctx, in.name, variants, sample, cores); err != nil {
		return err
	}
	r.endProgress()
	report := benchReport{Input: in.name, Sample: len(sample), PageSize: int(r.pageSize), Cores: cores, Kernels: asm.Active.Name, Rounds: r.rounds}
	for _, v := range variants {
		report.Results = append(report.Results, v.result(len(sample)))
	}
	if r.json {
		return writeJSON(report, false)
	}
	return failStandard(report.write(os.Stdout))
}

// variants returns what the flags ask for.
func (r *benchmark) variants() ([]*variant, error) {
	if r.rounds < 1 {
		return nil, fmt.Errorf("%d rounds: there must be one at least", r.rounds)
	}
	var variants []*variant
	for _, name := range r.levels {
		level, err := parseLevel(name)
		if err != nil {
			return nil, fmt.Errorf("--levels %s: %w", name, err)
		}
		for _, cluster := range r.clusters {
			options, err := streamOptions(r.pageSize, cluster, level)
			if err != nil {
				return nil, err
			}
			variants = append(variants, &variant{options: options})
		}
	}
	return variants, nil
}

// samplePiece is how much of an image is taken or passed over at a time.
const samplePiece = 1 << 20

// takeSample returns at most size bytes of the memory in the input, in whole
// pages, from all over it. Holes do not count: compress does not read them.
func (r *benchmark) takeSample(ctx context.Context, in *input) ([]byte, error) {
	all := uint64(math.MaxUint64) // of a pipe nobody knows
	if in.seekable() {
		memory, err := image.Open(in.name, in.File, image.Format(r.format))
		if err != nil {
			return nil, err
		}
		all = 0
		err = eachPiece(ctx, memory, func(n int64) error {
			all += uint64(n)
			return memory.Skip(n)
		})
		if err != nil {
			return nil, err
		}
		if _, err := in.Seek(in.base, io.SeekStart); err != nil {
			return nil, err
		}
	}
	memory, err := image.Open(in.name, in.File, image.Format(r.format))
	if err != nil {
		return nil, err
	}
	s := &sampler{memory: memory, pageSize: int(r.pageSize)}
	most := min(float64(r.sample)/float64(all), 1)
	seen := int64(0)
	err = eachPiece(ctx, memory, func(n int64) error {
		seen += n
		switch {
		case len(s.data) >= int(r.sample):
			return io.EOF
		case in.seekable() && float64(len(s.data)) >= most*float64(seen):
			return memory.Skip(n)
		}
		return s.take(n)
	})
	if err == io.EOF {
		err = nil
	}
	return s.data, err
}

// eachPiece calls f for each piece of memory that is no hole; f must read or
// skip its n bytes.
func eachPiece(ctx context.Context, memory *image.Reader, f func(n int64) error) error {
	for {
		region, err := memory.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for region.Class == pagestream.Memory {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, hole, err := memory.Extent()
			if err == io.EOF {
				break
			}
			switch {
			case err != nil:
			case hole:
				err = memory.Skip(n)
			default:
				err = f(min(n, samplePiece))
			}
			if err != nil {
				return err
			}
		}
	}
}

// A sampler takes pieces of memory.
type sampler struct {
	memory   *image.Reader
	pageSize int
	data     []byte
}

// take takes the next n bytes, or fewer where the input ends, and zeros up to
// the end of a page.
func (s *sampler) take(n int64) error {
	at := len(s.data)
	s.data = append(s.data, make([]byte, (int(n)+s.pageSize-1)/s.pageSize*s.pageSize)...)
	got, err := io.ReadFull(s.memory, s.data[at:][:n])
	s.data = s.data[:at+(got+s.pageSize-1)/s.pageSize*s.pageSize]
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return err
}

// measureAll measures all variants in turns.
func (r *benchmark) measureAll(ctx context.Context, name string, variants []*variant, sample []byte, cores int) error {
	var step atomic.Pointer[state]
	step.Store(&state{})
	r.beginProgress("bench "+name, func() state { return *step.Load() })
	var stored bytes.Buffer
	for round := range r.rounds {
		for i, v := range variants {
			step.Store(&state{
				done:   int64(round*len(variants) + i),
				total:  int64(r.rounds * len(variants)),
				detail: fmt.Sprintf("round %d of %d, %s, clusters of %d", round+1, r.rounds, v.options.Level, v.options.ClusterPages),
			})
			if err := v.measure(ctx, &stored, sample, cores); err != nil {
				return err
			}
		}
	}
	return nil
}

// measure measures the variant once.
func (v *variant) measure(ctx context.Context, stored *bytes.Buffer, sample []byte, cores int) error {
	for _, n := range []int{1, cores} {
		runtime.GOMAXPROCS(n)
		v.options.Workers = n
		encode, err := timed(func() error {
			stored.Reset()
			return encodeSample(ctx, stored, sample, v.options)
		})
		if err != nil {
			return err
		}
		decode, err := timed(func() error {
			reader, err := pagestream.NewReader(bytes.NewReader(stored.Bytes()), pagestream.ReadOptions{Workers: n})
			if err != nil {
				return err
			}
			_, err = reader.Each(ctx, newRegionSink())
			return err
		})
		if err != nil {
			return err
		}
		if n == 1 {
			v.one[encoding], v.one[decoding] = append(v.one[encoding], encode), append(v.one[decoding], decode)
		}
		if n == cores {
			v.all[encoding], v.all[decoding] = append(v.all[encoding], encode), append(v.all[decoding], decode)
		}
	}
	v.ratio = ratio(uint64(len(sample)), uint64(stored.Len()))
	return nil
}

func timed(f func() error) (took, error) {
	runtime.GC() // what was left over is not to be paid by f
	cpu, start := cpuSeconds(), time.Now()
	err := f()
	return took{time.Since(start).Seconds(), cpuSeconds() - cpu}, err
}

func encodeSample(ctx context.Context, dst io.Writer, sample []byte, options pagestream.Options) error {
	w, err := pagestream.NewWriter(ctx, dst, options)
	if err != nil {
		return err
	}
	err = w.BeginRegion(pagestream.Region{Length: uint64(len(sample))})
	if err == nil {
		_, err = w.Write(sample)
	}
	_, closeErr := w.Close()
	return errors.Join(err, closeErr)
}

// result returns the medians of what was measured with so many bytes.
func (v *variant) result(size int) benchResult {
	r := benchResult{
		Level:        v.options.Level.String(),
		ClusterPages: v.options.ClusterPages,
		Ratio:        v.ratio,
		Encode:       v.codec(encoding, size),
		Decode:       v.codec(decoding, size),
	}
	for _, rate := range linkRates {
		plain := rate * 1e9 / 8
		throughput := min(plain*r.Ratio, r.Encode.AllCores, r.Decode.AllCores)
		r.Links = append(r.Links, link{rate, throughput, throughput / plain})
	}
	return r
}

func (v *variant) codec(direction, size int) codecResult {
	wall := func(t took) float64 { return t.wall }
	cpu := func(t took) float64 { return t.cpu }
	return codecResult{
		OneCore:   float64(size) / median(v.one[direction], wall),
		AllCores:  float64(size) / median(v.all[direction], wall),
		CPUPerGiB: median(v.one[direction], cpu) / float64(size) * (1 << 30),
	}
}

// median returns the median of a quantity of the runs.
func median(runs []took, quantity func(took) float64) float64 {
	var values []float64
	for _, t := range runs {
		values = append(values, quantity(t))
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// write writes the report for people.
func (b *benchReport) write(w io.Writer) error {
	fmt.Fprintf(w, "%s: a sample of %s, pages of %s, %s kernels, median of %s\n\n",
		b.Input, formatSize(uint64(b.Sample)), formatSize(uint64(b.PageSize)), b.Kernels, formatCount(uint64(b.Rounds), "round"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")+"\t") }
	all := formatCount(uint64(b.Cores), "core")
	row("", "", "", "encode", "encode", "encode", "decode", "decode", "decode")
	row("", "", "", "1 core", all, "CPU s", "1 core", all, "CPU s")
	row("level", "cluster", "ratio", "GB/s", "GB/s", "a GiB", "GB/s", "GB/s", "a GiB")
	for _, r := range b.Results {
		row(append([]string{r.Level, fmt.Sprint(r.ClusterPages), fmt.Sprintf("%.2f", r.Ratio)}, append(r.Encode.cells(), r.Decode.cells()...)...)...)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nGB of memory a second over a link, and how many times the plain link that is:\n\n")
	header := []string{"level", "cluster"}
	plain := []string{"plain", ""}
	for _, rate := range linkRates {
		header = append(header, fmt.Sprintf("%g Gbit/s", rate))
		plain = append(plain, fmt.Sprintf("%.3f (1.00)", rate/8))
	}
	row(header...)
	row(plain...)
	for _, r := range b.Results {
		cells := []string{r.Level, fmt.Sprint(r.ClusterPages)}
		for _, l := range r.Links {
			cells = append(cells, fmt.Sprintf("%.3f (%.2f)", l.Throughput/1e9, l.Speedup))
		}
		row(cells...)
	}
	return t.Flush()
}

func (c codecResult) cells() []string {
	cpu := "-"
	if c.CPUPerGiB > 0 {
		cpu = fmt.Sprintf("%.2f", c.CPUPerGiB)
	}
	return []string{fmt.Sprintf("%.3f", c.OneCore/1e9), fmt.Sprintf("%.3f", c.AllCores/1e9), cpu}
}
