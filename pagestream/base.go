package pagestream

// baseRegions finds the regions of a base that a Writer's regions are to be
// compared with.
type baseRegions map[regionPlace][]int

// A regionPlace is where a region begins: memory at an address of the guest,
// other bytes at an offset of the file.
type regionPlace struct {
	class Class
	at    uint64
}

func (r *Region) place() regionPlace {
	if r.Class == Memory {
		return regionPlace{r.Class, r.Address}
	}
	return regionPlace{r.Class, r.FileOffset}
}

func newBaseRegions(base *ReaderAt) baseRegions {
	m := make(baseRegions)
	for i := range base.regions {
		place := base.regions[i].place()
		m[place] = append(m[place], i)
	}
	return m
}

// take returns the first region at the place of r that was not taken yet,
// noBase where there is none.
func (m baseRegions) take(r Region) int {
	place := r.place()
	numbers := m[place]
	if len(numbers) == 0 {
		return noBase
	}
	m[place] = numbers[1:]
	return numbers[0]
}

// skipSame takes the next n bytes of the region as zero, in a stream with a
// base. A batch begins at multiples of its size, however the caller cuts the
// region, so that the stream does not depend on that.
func (w *Writer) skipSame(n uint64) error {
	if w.filled > 0 {
		if err := w.fillZero(min(n, uint64(len(w.batch.data)-w.filled)), &n); err != nil {
			return err
		}
	}
	size, whole := uint64(w.geometry.pageSize()), uint64(w.geometry.batchBytes())
	base := w.regions[len(w.regions)-1].base
	for n >= whole {
		run, zero := w.geometry.maxPages(), true
		if base != noBase {
			var err error
			if run, zero, err = w.options.Base.zeroRun(base, w.pages); err != nil {
				return w.fail(err)
			}
		}
		if same := min(run*size, n) / whole * whole; zero && same > 0 {
			w.batch.zeros += same / size
			w.pages += same / size
			w.length += same
			n -= same
			continue
		}
		if err := w.fillZero(whole, &n); err != nil {
			return err
		}
	}
	return w.fillZero(n, &n)
}
