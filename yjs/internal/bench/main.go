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
		n      = flag.Int("n", 10, "samples a row")
		out    = flag.String("out", "bench-engine", "directory for the results")
		row    = flag.String("row", "", "regular expression for the rows")
		only   = flag.String("only", "fjord,yjs,ywasm", "who is measured")
		linear = flag.Bool("linear", true, "measure ten and a hundred long histories as well")
		child  = flag.String("child", "", "measure the engine with the data in this directory, to standard output")
	)
	flag.Parse()
	if *child != "" {
		s := &suite{out: bufio.NewWriter(os.Stdout), n: *n, only: regexp.MustCompile(*row)}
		engine(s, &data{*child})
		if *linear {
			growth(s)
		}
		return
	}
	check(os.MkdirAll(*out, 0o750))
	dir := must(os.MkdirTemp("", "bench-engine"))
	defer os.RemoveAll(dir)
	install()
	genuine := (&data{dir}).make()
	node(os.Stdout, "prepare", dir)
	for who := range strings.SplitSeq(*only, ",") {
		file := must(os.Create(filepath.Join(*out, who+".txt")))
		if who == "fjord" {
			run(file, must(os.Executable()), "-child", dir, "-n", strconv.Itoa(*n), "-row", *row, "-linear="+strconv.FormatBool(*linear))
		} else {
			node(file, who, dir, strconv.Itoa(*n), *row)
		}
		check(file.Close())
	}
	fmt.Fprintf(os.Stdout, "%s %s/%s, %d CPUs, node %s; the long history is the real one: %v; %d samples\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), version(), genuine, *n)
	table(os.Stdout, *out)
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

func version() string {
	return strings.TrimSpace(string(must(exec.CommandContext(context.Background(), "node", "--version").Output())))
}
