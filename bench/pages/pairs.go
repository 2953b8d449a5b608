package pages

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Pairs are two versions of pages: of each page, the one stands in Old where
// the other stands in New.
type Pairs struct{ Old, New []byte }

// SamplePairs reads pairs of pages from r, of each the old version and then
// the new one, and returns at most limit of them, in their order, chosen as
// [Sample] does it. No new version is zero or as the old one: such pages need
// no delta.
func SamplePairs(r io.Reader, limit int) (Pairs, error) {
	return samplePairs(limit, func(pair []byte) error { return readFull(r, pair) })
}

// SamplePairsFile samples the file name as [SamplePairs] does, unpacking it
// where its name ends in .gz. It is an error if there is nothing to sample.
func SamplePairsFile(name string, limit int) (Pairs, error) {
	input, close, err := open(name)
	if err != nil {
		return Pairs{}, err
	}
	defer close()
	pairs, err := SamplePairs(input, limit)
	if err == nil && len(pairs.New) == 0 {
		err = fmt.Errorf("no pairs of an old and a new page of %d bytes that differ, the new one not zero", Size)
	}
	if err != nil {
		return Pairs{}, fmt.Errorf("%s: %w", name, err)
	}
	return pairs, nil
}

// ComparePairs samples the pages that the files oldName and newName, two
// images of one guest's memory, both have, as [SamplePairs] does. Files whose
// names end in .gz are unpacked. It is an error if there is nothing to sample.
func ComparePairs(oldName, newName string, limit int) (Pairs, error) {
	old, closeOld, err := open(oldName)
	if err != nil {
		return Pairs{}, err
	}
	defer closeOld()
	new, closeNew, err := open(newName)
	if err != nil {
		return Pairs{}, err
	}
	defer closeNew()
	pairs, err := samplePairs(limit, func(pair []byte) error {
		oldErr, newErr := readFull(old, pair[:Size]), readFull(new, pair[Size:])
		switch {
		case oldErr != nil && oldErr != io.EOF:
			return fmt.Errorf("%s: %w", oldName, oldErr)
		case newErr != nil && newErr != io.EOF:
			return fmt.Errorf("%s: %w", newName, newErr)
		case oldErr != newErr:
			return fmt.Errorf("%s and %s are not equally long", oldName, newName)
		}
		return newErr
	})
	if err == nil && len(pairs.New) == 0 {
		err = errors.New(newName + ": no page differs from that in " + oldName + " and is not zero")
	}
	return pairs, err
}

func samplePairs(limit int, read func(pair []byte) error) (Pairs, error) {
	data, err := sample(2*Size, limit, read, func(pair []byte) bool {
		return !bytes.Equal(pair[:Size], pair[Size:]) && !isZero(pair[Size:])
	})
	var pairs Pairs
	for ; len(data) > 0; data = data[2*Size:] {
		pairs.Old = append(pairs.Old, data[:Size]...)
		pairs.New = append(pairs.New, data[Size:2*Size]...)
	}
	return pairs, err
}
