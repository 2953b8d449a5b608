package main

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// A matrix says what to measure.
type matrix struct {
	workloads []load
	links     []link
	methods   []method
	runs      int // of each
	seed      uint64
}

// A step is one run to make.
type step struct {
	load   load
	link   link
	method method
	round  int // from 1 on
	order  int // of the method among those of the round, from 1 on
}

// steps returns the runs in the order to make them, by the guests to boot: each
// workload has one, whatever its settings. In each round all links follow each
// other, and on each all methods, in random order, so that whatever changes
// with time is not that of one method.
func (m *matrix) steps() (byGuest [][]step) {
	var names []string
	for _, w := range m.workloads {
		if !slices.Contains(names, w.name) {
			names = append(names, w.name)
		}
	}
	for _, name := range names {
		var all []step
		for round := 1; round <= m.runs; round++ {
			for _, w := range m.workloads {
				if w.name != name {
					continue
				}
				for _, l := range m.links {
					for i, method := range m.shuffled(w, l, round) {
						all = append(all, step{w, l, method, round, i + 1})
					}
				}
			}
		}
		byGuest = append(byGuest, all)
	}
	return byGuest
}

// shuffled returns the methods in an order that follows from the seed and the
// arguments alone, so that an interrupted measurement goes on with it.
func (m *matrix) shuffled(w load, l link, round int) []method {
	name := fnv.New64a()
	name.Write([]byte(w.text + " " + l.name + " "))
	random := rand.New(rand.NewPCG(m.seed, name.Sum64()+uint64(round)))
	all := slices.Clone(m.methods)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
