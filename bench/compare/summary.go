package main

import "slices"

// baseline is the name of the codec that others are compared to.
const baseline = "LZ4 C"

// A table is what all codecs of a mode make of the workloads.
type table struct {
	Mode       string        `json:"mode"`
	Title      string        `json:"title"`
	BlockBytes int           `json:"block_bytes"`
	Workloads  []tableBlocks `json:"workloads"`
	Rows       []row         `json:"rows"`
}

// A tableBlocks says how many blocks of a workload there are.
type tableBlocks struct {
	Name   string `json:"name"`
	Blocks int    `json:"blocks"`
}

// A row is what one codec makes of them: harmonic means over the workloads.
type row struct {
	Codec     string        `json:"codec"`
	Class     string        `json:"class"`
	Process   bool          `json:"process_cpu_time"` // rather than the thread's
	Ratio     float64       `json:"ratio"`
	Encode    direction     `json:"encode"`
	Decode    direction     `json:"decode"`
	Rivals    *rivalDeltas  `json:"deltas_relative_to,omitempty"` // in the table of deltas
	Workloads []workloadRow `json:"workloads"`
}

// A rivalDeltas compares a row with those of other deltas.
type rivalDeltas struct {
	XBZRLE float64 `json:"xbzrle_ratio"`
	// Of those in C, nil without them.
	Zstd   *float64 `json:"zstd_1_c_of_xor_ratio,omitempty"`
	Encode *spread  `json:"xbzrle_c_encode,omitempty"`
}

// A direction is the speed of encoding or decoding.
type direction struct {
	Speed    spread  `json:"gb_per_s"`
	Relative *spread `json:"relative_to_lz4_c,omitempty"` // nil without LZ4 C
}

// A spread is the median and the extremes of a figure over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// A workloadRow is what one codec makes of one workload: speeds are medians.
type workloadRow struct {
	Name   string  `json:"name"`
	Ratio  float64 `json:"ratio"`
	Encode float64 `json:"encode_gb_per_s"`
	Decode float64 `json:"decode_gb_per_s"`
}

// summarize makes a table of what measure returned.
func summarize(m mode, workloads []workload, measured [][]measurement) table {
	t := table{Mode: m.name, Title: m.title, BlockBytes: m.blockBytes()}
	for _, w := range workloads {
		t.Workloads = append(t.Workloads, tableBlocks{w.name, len(w.data) / m.blockBytes()})
	}
	encodeOf := func(m measurement) []float64 { return m.encode }
	decodeOf := func(m measurement) []float64 { return m.decode }
	var encodeBase, decodeBase []float64
	if i := slices.IndexFunc(m.codecs, func(c codec) bool { return c.name == baseline }); i >= 0 {
		encodeBase, decodeBase = byRound(measured[i], encodeOf), byRound(measured[i], decodeOf)
	}
	for i, c := range m.codecs {
		r := row{
			Codec:   c.name,
			Class:   c.class,
			Process: c.process,
			Encode:  newDirection(byRound(measured[i], encodeOf), encodeBase),
			Decode:  newDirection(byRound(measured[i], decodeOf), decodeBase),
		}
		var ratios []float64
		for j, w := range workloads {
			one := measured[i][j]
			ratios = append(ratios, one.ratio)
			r.Workloads = append(r.Workloads, workloadRow{w.name, one.ratio, median(one.encode), median(one.decode)})
		}
		r.Ratio = harmonicMean(ratios)
		t.Rows = append(t.Rows, r)
	}
	t.compareDeltas(func(row int) []float64 { return byRound(measured[row], encodeOf) })
	return t
}

// row returns the index of the codec's row, -1 if there is none.
func (t *table) row(codec string) int {
	return slices.IndexFunc(t.Rows, func(r row) bool { return r.Codec == codec })
}

// compareDeltas sets the rows' Rivals if there is a row of XBZRLE. speeds are a
// row's of encoding, by round.
func (t *table) compareDeltas(speeds func(row int) []float64) {
	plain, inC, zstd := t.row(xbzrle), t.row(xbzrleC), t.row(zstdOfXOR)
	if plain < 0 {
		return
	}
	for i := range t.Rows {
		r := &t.Rows[i]
		r.Rivals = &rivalDeltas{XBZRLE: r.Ratio / t.Rows[plain].Ratio}
		if zstd >= 0 {
			ratio := r.Ratio / t.Rows[zstd].Ratio
			r.Rivals.Zstd = &ratio
		}
		if inC >= 0 {
			r.Rivals.Encode = newDirection(speeds(i), speeds(inC)).Relative
		}
	}
}

// byRound returns the harmonic mean over the workloads for each round.
func byRound(workloads []measurement, speeds func(measurement) []float64) []float64 {
	var means []float64
	for round := range speeds(workloads[0]) {
		var all []float64
		for _, w := range workloads {
			all = append(all, speeds(w)[round])
		}
		means = append(means, harmonicMean(all))
	}
	return means
}

// newDirection compares speeds by round with the baseline's in the same round.
func newDirection(speeds, base []float64) direction {
	d := direction{Speed: newSpread(speeds)}
	if base != nil {
		relative := make([]float64, len(speeds))
		for round := range speeds {
			relative[round] = speeds[round] / base[round]
		}
		s := newSpread(relative)
		d.Relative = &s
	}
	return d
}

func newSpread(values []float64) spread {
	return spread{median(values), slices.Min(values), slices.Max(values)}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

func harmonicMean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += 1 / v
	}
	return float64(len(values)) / sum
}
