package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	var (
		n      = flag.Int("n", 10, "samples a row, at most; slow rows have fewer")
		out    = flag.String("out", "bench-engine", "directory for the results")
		row    = flag.String("row", "", "regular expression for the rows")
		only   = flag.String("only", "fjord,yjs,ywasm", "who is measured")
		linear = flag.Bool("linear", true, "measure ten and a hundred long histories as well")
		crowd  = flag.Bool("crowd", true, "let yjs and ywasm load the crowd, which takes them minutes")
		doc    = flag.String("markdown", "", "measure nothing: put the results into the table of this file")
		child  = flag.String("child", "", "measure the engine with the data in this directory, to standard output")
	)
	flag.Parse()
	switch {
	case *child != "":
		s := &suite{out: bufio.NewWriter(os.Stdout), n: *n, only: regexp.MustCompile(*row)}
		engine(s, &data{*child})
		if *linear {
			growth(s)
		}
		return
	case *doc != "":
		check(insert(*doc, string(must(os.ReadFile(filepath.Join(*out, "about.txt")))), entries(*out)))
		return
	}
	check(os.MkdirAll(*out, 0o750))
	dir := must(os.MkdirTemp("", "bench-engine"))
	defer os.RemoveAll(dir)
	load := busy()
	install()
	genuine := (&data{dir}).make()
	node(os.Stdout, "prepare", dir)
	for name := range strings.SplitSeq(*only, ",") {
		file := must(os.Create(filepath.Join(*out, name+".txt")))
		if name == "fjord" {
			run(file, must(os.Executable()), "-child", dir, "-n", strconv.Itoa(*n), "-row", *row, "-linear="+strconv.FormatBool(*linear))
		} else {
			node(file, name, dir, strconv.Itoa(*n), *row, strconv.FormatBool(*crowd))
		}
		check(file.Close())
	}
	where := about(os.Args[1:], *n, genuine, load)
	check(os.WriteFile(filepath.Join(*out, "about.txt"), []byte(where), 0o600))
	fmt.Fprintln(os.Stdout, where)
	table(os.Stdout, entries(*out))
}

// home is where bench.mjs and package.json are: this file's directory.
func home() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		fail(fmt.Errorf("built without paths"))
	}
	return filepath.Dir(file)
}

func install() {
	if _, err := os.Stat(filepath.Join(home(), "node_modules/ywasm")); err == nil {
		return
	}
	cmd := exec.CommandContext(context.Background(), "npm", "ci", "--no-audit", "--no-fund")
	cmd.Dir, cmd.Stdout, cmd.Stderr = home(), os.Stderr, os.Stderr
	check(cmd.Run())
}

func node(out *os.File, args ...string) {
	run(out, "node", append([]string{"--expose-gc", "--max-old-space-size=8192", filepath.Join(home(), "bench.mjs")}, args...)...)
}

func run(out *os.File, name string, args ...string) {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	check(cmd.Run())
}
