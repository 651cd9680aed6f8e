package dashboard

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aftercall/automation"
)

// draft is what an author has on the workbench. It comes whole with every request.
type draft struct {
	Files   []draftFile // in the order of the page
	From    string      // what they began as
	Call    string      // the call to try
	Session string      // of one open page: its tries wait for each other
	Do      string      // the button that was pressed
	New     string      // the name of a file to add
	One     string      // the file to keep, by number; "" for all
}

// draftFile is one file as typed.
type draftFile struct{ Name, Text string }

// mostPosted bounds a whole draft, in bytes. An account's folder may hold more, and is then edited elsewhere.
const mostPosted = 4 * automation.MaxFileSize

// postedError says why what was posted is not taken. Its sentences hold nothing of what was posted.
type postedError struct {
	status           int
	sentence, remedy string
}

// Error gives the sentence.
func (e *postedError) Error() string { return e.sentence }

func badPost(sentence string) error {
	return &postedError{http.StatusBadRequest, sentence, "Go back, and open the workbench again if that does not help."}
}

func tooFast() error {
	return &postedError{http.StatusTooManyRequests, "The workbench is asked too often.", "Wait a second and try again."}
}

// readDraft reads a posted form. A page with the module and one without post the same fields.
func readDraft(r *http.Request) (draft, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, mostPosted)
	err := r.ParseMultipartForm(mostPosted)
	if r.MultipartForm != nil {
		defer func() { _ = r.MultipartForm.RemoveAll() }() // no field of ours is an upload; the system clears the rest
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return draft{}, &postedError{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("The files together are larger than %d bytes.", mostPosted), "Try fewer of them at once; `aftercall check` takes all."}
	case err != nil && !errors.Is(err, http.ErrNotMultipart):
		return draft{}, badPost("What was posted is not the form of this page.")
	}
	names, texts := r.PostForm["name"], r.PostForm["text"]
	if len(names) != len(texts) || len(names) > automation.MaxFiles {
		return draft{}, badPost(fmt.Sprintf("The form needs a name for each file, and at most %d files.", automation.MaxFiles))
	}
	d := draft{From: r.PostForm.Get("from"), Call: r.PostForm.Get("call"), Session: r.PostForm.Get("session"),
		Do: r.PostForm.Get("do"), New: strings.TrimSpace(r.PostForm.Get("new")), One: r.PostForm.Get("one")}
	for i, name := range names {
		// Forms are posted with the line ends of a telegram, whatever was typed.
		d.Files = append(d.Files, draftFile{strings.TrimSpace(name), strings.ReplaceAll(texts[i], "\r\n", "\n")})
	}
	return d, nil
}

// config gives the files as automation.Compile takes them, and problems for those that have no place in a config folder.
func (d draft) config() (automation.Files, []automation.Problem) {
	files := automation.Files{}
	var problems []automation.Problem
	refuse := func(name, message, help string) {
		problems = append(problems, automation.Problem{
			File: or(name, "(no name)"), Line: 1, Col: 1, Length: 1, Severity: automation.Error, Code: "AC003", Message: message, Help: help,
		})
	}
	for _, f := range d.Files {
		_, twice := files[f.Name]
		switch {
		case !fs.ValidPath(f.Name) || strings.Contains(f.Name, `\`) || !automation.IsConfig(f.Name):
			refuse(f.Name, "a file of this name is no config", "call it account.yaml, something.yaml, or something.hbs for a body; tests belong to the command line")
		case twice:
			refuse(f.Name, "two files have this name", "rename one of them")
		default:
			files[f.Name] = []byte(f.Text)
		}
	}
	return files, problems
}

// find gives the number of a file; -1 if there is none of this name.
func (d draft) find(name string) int {
	return slices.IndexFunc(d.Files, func(f draftFile) bool { return f.Name == name })
}

func (d *draft) add(name string) error {
	switch {
	case name == "" || d.find(name) >= 0:
		return badPost("A new file needs a name that no other file has.")
	case len(d.Files) == automation.MaxFiles:
		return badPost(fmt.Sprintf("There are %d files already, as many as an account may have.", automation.MaxFiles))
	}
	d.Files = append(d.Files, draftFile{Name: name})
	return nil
}

func (d *draft) remove(n int) error {
	if n < 0 || n >= len(d.Files) {
		return badPost("There is no such file to remove.")
	}
	d.Files = slices.Delete(d.Files, n, n+1)
	return nil
}

// fix writes what the n-th problem suggests.
func (d *draft) fix(problems []automation.Problem, n int) error {
	if n < 0 || n >= len(problems) {
		return badPost("The problem that was to be mended is no longer there.")
	}
	p := problems[n]
	i := d.find(p.File)
	if i < 0 {
		return badPost("The file that was to be mended is not here.")
	}
	lines := strings.SplitAfter(d.Files[i].Text, "\n")
	word, ok := suggested(p, lineOf(d.Files[i].Text, p.Line))
	if !ok {
		return badPost("This problem has no fix that can be written for you.")
	}
	line := []rune(lines[p.Line-1])
	lines[p.Line-1] = string(line[:p.Col-1]) + word + string(line[p.Col-1+p.Length:])
	d.Files[i].Text = strings.Join(lines, "")
	return nil
}

// lineOf is a line of a text, from 1, without its end; "" if there is none.
func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSuffix(lines[n-1], "\r")
}

var (
	meant   = regexp.MustCompile(`^did you mean (?:the helper )?(\S+)\?`)
	toQuote = regexp.MustCompile(`^write ("[^"\\]+")$`)
	oneWord = regexp.MustCompile(`^[\p{L}\p{N}_.@/+:-]+$`)
)

// suggested is the word that would stand in place of what a problem underlines, if its help names one. Only a word that
// stands for a word is offered, in the quotes it has or needs: what has a counterpart elsewhere takes a person.
func suggested(p automation.Problem, line string) (word string, ok bool) {
	runes := []rune(line)
	if p.Col < 1 || p.Length < 1 || p.Col-1+p.Length > len(runes) {
		return "", false
	}
	wrong := string(runes[p.Col-1 : p.Col-1+p.Length])
	if m := toQuote.FindStringSubmatch(p.Help); m != nil {
		return m[1], oneWord.MatchString(wrong)
	}
	m := meant.FindStringSubmatch(p.Help)
	if m == nil || !oneWord.MatchString(m[1]) {
		return "", false
	}
	bare, mark := wrong, ""
	if n := len(wrong); n > 2 && wrong[0] == wrong[n-1] && (wrong[0] == '"' || wrong[0] == '\'') {
		bare, mark = wrong[1:n-1], wrong[:1]
	}
	return mark + m[1] + mark, oneWord.MatchString(bare) && bare != m[1]
}

// download gives the files to be kept: one as it is, or all as a zip.
func (d draft) download() (*file, error) {
	files, misplaced := d.config()
	if len(misplaced) > 0 || len(files) == 0 {
		return nil, badPost("Two files have one name, or a file has a name that no config may have.")
	}
	if d.One != "" {
		n, err := strconv.Atoi(d.One)
		if err != nil || n < 0 || n >= len(d.Files) {
			return nil, badPost("There is no such file to download.")
		}
		return &file{Type: "text/plain; charset=utf-8", Name: path.Base(d.Files[n].Name), Body: []byte(d.Files[n].Text)}, nil
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range d.Files {
		w, err := z.Create(f.Name)
		if err == nil {
			_, err = w.Write([]byte(f.Text))
		}
		if err != nil {
			return nil, fmt.Errorf("pack the files of a draft: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack the files of a draft: %w", err)
	}
	return &file{Type: "application/zip", Name: "aftercall-config.zip", Body: b.Bytes()}, nil
}
