package check

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Yjs is npm's yjs in a process of its own, which reads documents into fresh
// Y.Docs. It is for one goroutine.
type Yjs struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// reading is what a fresh Y.Doc makes of an update.
type reading struct {
	// Identity is its state vector and delete set, Text and Rest what it reads.
	Identity string `json:"identity"`
	Text     string `json:"text"`
	Rest     string `json:"rest"`
	Pending  bool   `json:"pending"`
	Error    string `json:"error"`
}

// StartYjs starts it; script is js/reader.mjs, whose node_modules must be there.
func StartYjs(script string) (*Yjs, error) {
	y := &Yjs{cmd: exec.Command("node", script)}
	y.cmd.Stderr = os.Stderr
	var err error
	if y.in, err = y.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := y.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	y.out = bufio.NewReader(out)
	return y, y.cmd.Start()
}

// Agree checks that all documents, each an update, read the same in Yjs, and that
// none waits for what it lacks.
func (y *Yjs) Agree(names []string, documents [][]byte) error {
	var readings []reading
	if err := y.ask("read", documents, &readings); err != nil {
		return err
	}
	var errs []error
	for i, r := range readings {
		switch {
		case r.Error != "":
			errs = append(errs, fmt.Errorf("YJS: the document of %s: %s", names[i], r.Error))
		case r.Pending:
			errs = append(errs, fmt.Errorf("YJS: the document of %s waits for what it lacks", names[i]))
		case r.Identity != readings[0].Identity:
			errs = append(errs, fmt.Errorf("YJS: %s and %s hold different structs or deletes", names[0], names[i]))
		case r.Text != readings[0].Text || r.Rest != readings[0].Rest:
			errs = append(errs, fmt.Errorf("YJS: %s and %s read differently", names[0], names[i]))
		}
	}
	return errors.Join(errs...)
}

// Union returns the document that has all updates of a room, with the deletions
// that follow from them by Yjs's rules: of two that set the same key of a map, one
// is deleted, and a peer that finds out says so though no author did.
func (y *Yjs) Union(updates [][]byte) (union []byte, err error) {
	return union, y.ask("union", updates, &union)
}

func (y *Yjs) ask(what string, updates [][]byte, answer any) error {
	encoded := make([]string, len(updates))
	for i, u := range updates {
		encoded[i] = base64.StdEncoding.EncodeToString(u)
	}
	question, err := json.Marshal([]any{what, encoded})
	if err != nil {
		return err
	}
	if _, err := y.in.Write(append(question, '\n')); err != nil {
		return err
	}
	line, err := y.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("yjs: %w", err)
	}
	return json.Unmarshal(line, answer)
}

// Close ends the process.
func (y *Yjs) Close() error {
	_ = y.in.Close()
	return y.cmd.Wait()
}
