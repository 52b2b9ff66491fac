package main

import (
	"testing"

	"github.com/telemetrydb/tsdb/bench/target/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m, main) }

func TestAnswersAreThoseOfTheEngine(t *testing.T) { targettest.WholeRun(t, name, true) }

func TestKilledItStartsAgain(t *testing.T) { targettest.Killed(t, name, true) }
