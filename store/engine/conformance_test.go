package engine_test

import (
	"testing"

	"github.com/vacancywatch/vacancywatch/store/engine/enginetest"
)

func TestConformance(t *testing.T) {
	enginetest.All(t, enginetest.Test)
}
