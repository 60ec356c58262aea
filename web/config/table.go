package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Table is the README's configuration table, in Markdown.
func Table() string {
	var b strings.Builder
	group := ""
	for _, f := range append(fieldsOf(reflect.TypeFor[Config]()), fieldsOf(reflect.TypeFor[Dev]())...) {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n**%s**\n\n| variable | default | what it is |\n|---|---|---|\n", headings[group])
		}
		value := ""
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		doc := f.Doc
		if len(f.Need) > 0 {
			doc += " **Needed** by " + words(f.Need) + "."
		}
		if f.Secret != "" {
			doc += " Secret: may be read from the file named by `" + f.Name + "_FILE`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(doc, "|", `\|`))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

var headings = map[string]string{
	"Server": "Server", "Database": "Database", "SignIn": "Sign-in", "AWS": "AWS", "Access": "People's access", "Engine": "Rules and runs", "Notify": "Notifications", "Backstage": "Backstage", "CI": "Workflows",
	"Dev": "Development builds only (tag `dev`)",
}

var needWords = map[string]string{
	"web": "`serve` (web)", "worker": "`serve` (worker)", "migrate": "`migrate`", "audit": "`audit verify`", "awssim": "`awssim`",
}

func words(needs []string) string {
	spoken := make([]string, len(needs))
	for i, need := range needs {
		spoken[i] = needWords[need]
	}
	return strings.Join(spoken, ", ")
}
