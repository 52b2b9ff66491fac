package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"
)

// readConfig gives the settings that were not given as flags the values of a TOML file. Keys are named like flags; keys of a table
// are those that begin with its name: url in [keystone] is keystone-url. All faults are told at once.
func readConfig(file string, fl *pflag.FlagSet) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var tree map[string]any
	if err := toml.Unmarshal(b, &tree); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var errs []error
	setAll(fl, "", tree, &errs)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// setAll sets what is in a table whose name is prefix.
func setAll(fl *pflag.FlagSet, prefix string, table map[string]any, errs *[]error) {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		name, value := prefix+key, table[key]
		if sub, ok := value.(map[string]any); ok {
			setAll(fl, name+"-", sub, errs)
			continue
		}
		f := fl.Lookup(name)
		if f == nil || name == "config" || name == "help" {
			*errs = append(*errs, fmt.Errorf("unknown key %s", name))
			continue
		}
		if err := setOne(f, value); err != nil {
			*errs = append(*errs, fmt.Errorf("%s: %w", name, err))
		}
	}
}

// setOne sets a flag that was not given to a value of a file.
func setOne(f *pflag.Flag, value any) error {
	texts, isList := value.([]any)
	if !isList {
		texts = []any{value}
	}
	list, wantsList := f.Value.(pflag.SliceValue)
	if isList && !wantsList {
		return errors.New("want one value, not a list")
	}
	var values []string
	for _, v := range texts {
		text, err := asText(f.Value.Type(), v)
		if err != nil {
			return err
		}
		values = append(values, text)
	}
	if f.Changed {
		return nil
	}
	if wantsList {
		return list.Replace(values)
	}
	return f.Value.Set(values[0])
}

// asText gives a value of a file as it would be given on the command line.
func asText(kind string, v any) (string, error) {
	switch v := v.(type) {
	case bool:
		if kind == "bool" {
			return fmt.Sprint(v), nil
		}
	case int64:
		if kind == "int" || kind == "string" {
			return fmt.Sprint(v), nil
		}
	case string:
		if kind != "bool" && kind != "int" {
			return v, nil
		}
	}
	return "", fmt.Errorf("%v is no %s", v, strings.TrimSuffix(kind, "Array"))
}
