package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestWhatWentWrongWithASourceIsSaidOnce(t *testing.T) {
	broke, late := errors.New("the connection broke"), errors.New("the moment did not last")
	for _, c := range []struct {
		broke, end error
		want       string
	}{
		{nil, late, "the moment did not last"},
		{broke, nil, "the connection broke"},
		{broke, broke, "the connection broke"},
		{fmt.Errorf("/a: %w", broke), errors.Join(broke, context.Canceled), "/a: the connection broke"},
		{fmt.Errorf("/a: %w", broke), errors.Join(context.Canceled, broke, late), "/a: the connection broke\nthe moment did not last"},
		{broke, fmt.Errorf("table a: %w", broke), "table a: the connection broke"},
	} {
		if got := both(c.broke, c.end); got == nil || got.Error() != c.want {
			t.Errorf("%v and %v: %v", c.broke, c.end, got)
		}
	}
	if err := both(nil, nil); err != nil {
		t.Error(err)
	}
}
