package main

// A method keeps generations of an image, each in a file of its own. Its
// commands stand for files by {image}, the image; {was}, the image of the
// generation before; {file}, where the method keeps the generation; {base},
// where it keeps the one before; {back}, the image as it is restored; {temp},
// a file between two commands.
type method struct {
	name   string
	suffix string // of its files' names
	// first and next make the file of the first generation and of a later one.
	first, next commands
	// newest restores {back} from the newest file. Where that takes every
	// generation in turn it is nil, and oldest restores the first, and forth
	// makes of {back} the next.
	newest, oldest, forth commands
	// chain says that a file is of no use without those before it.
	chain bool
}

type commands [][]string

// Names of methods that are treated differently.
const (
	lzpageChain      = "lzpage --base"        // every generation is restored, and the files are left
	denseLzpageChain = "lzpage --base, dense" // every generation is restored
	plainDirty       = "dirty pages"          // the others' sizes are compared to its
)

// methods returns what is compared. self is this program.
func methods(lzpage, self string) []method {
	lzp := func(name string, level string, chain bool) method {
		compress := []string{lzpage, "compress", "-q", "-f", "--level", level, "-o", "{file}", "{image}"}
		m := method{
			name:   name,
			suffix: "lzp",
			first:  commands{compress},
			next:   commands{compress},
			newest: commands{{lzpage, "decompress", "-q", "-f", "-o", "{back}", "{file}"}},
			chain:  chain,
		}
		if chain {
			m.next = commands{append(compress[:len(compress)-1:len(compress)-1], "--base", "{base}", "{image}")}
		}
		return m
	}
	zstd := func(name, level string) method {
		compress := commands{{"zstd", level, "-q", "-f", "{image}", "-o", "{file}"}}
		return method{name: name, suffix: "zst", first: compress, next: compress, newest: commands{{"zstd", "-d", "-q", "-f", "{file}", "-o", "{back}"}}}
	}
	takeTo := func(file string) []string { return []string{self, takeDirty, "{was}", "{image}", file} }
	putFrom := func(file string) []string { return []string{self, putDirty, "{back}", file} }
	return []method{
		lzp(lzpageChain, "fast", true),
		lzp(denseLzpageChain, "dense", true),
		{
			name:   plainDirty,
			suffix: "pages",
			first:  commands{{"cp", "{image}", "{file}"}},
			next:   commands{takeTo("{file}")},
			oldest: commands{{"cp", "{file}", "{back}"}},
			forth:  commands{putFrom("{file}")},
			chain:  true,
		}, {
			name:   "dirty pages, lz4 -1",
			suffix: "lz4",
			first:  commands{{"lz4", "-1", "-q", "-f", "{image}", "{file}"}},
			next:   commands{takeTo("{temp}"), {"lz4", "-1", "-q", "-f", "{temp}", "{file}"}},
			oldest: commands{{"lz4", "-d", "-q", "-f", "{file}", "{back}"}},
			forth:  commands{{"lz4", "-d", "-q", "-f", "{file}", "{temp}"}, putFrom("{temp}")},
			chain:  true,
		}, {
			name:   "dirty pages, zstd -1",
			suffix: "zst",
			first:  commands{{"zstd", "-1", "-q", "-f", "{image}", "-o", "{file}"}},
			next:   commands{takeTo("{temp}"), {"zstd", "-1", "-q", "-f", "{temp}", "-o", "{file}"}},
			oldest: commands{{"zstd", "-d", "-q", "-f", "{file}", "-o", "{back}"}},
			forth:  commands{{"zstd", "-d", "-q", "-f", "{file}", "-o", "{temp}"}, putFrom("{temp}")},
			chain:  true,
		}, {
			name:   "zstd -1 --patch-from",
			suffix: "zst",
			first:  commands{{"zstd", "-1", "-q", "-f", "{image}", "-o", "{file}"}},
			next:   commands{{"zstd", "-1", "-q", "-f", "--patch-from={was}", "{image}", "-o", "{file}"}},
			oldest: commands{{"zstd", "-d", "-q", "-f", "{file}", "-o", "{back}"}},
			forth:  commands{{"zstd", "-d", "-q", "-f", "--patch-from={back}", "{file}", "-o", "{temp}"}, {"mv", "{temp}", "{back}"}},
			chain:  true,
		},
		lzp("lzpage, each in full", "fast", false),
		lzp("lzpage dense, each in full", "dense", false),
		zstd("zstd -1, each in full", "-1"),
		zstd("zstd -3, each in full", "-3"),
	}
}
