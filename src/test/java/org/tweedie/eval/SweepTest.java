// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tweedie.solve.Solvers;

class SweepTest {
    private static List<String> expand(List<String> solvers, String... sets) {
        return Sweep.expand(solvers, Stream.of(sets).map(Sweep::of).toList());
    }

    private static String fault(List<String> solvers, String... sets) {
        return assertThrows(IllegalArgumentException.class, () -> expand(solvers, sets)).getMessage();
    }

    @Test
    void makesAllCombinations() {
        List<String> variants = expand(List.of("stsl:steps=4", "stsl"), "eta=0.05,0.1", "inner=1,3");
        assertEquals(List.of("stsl:steps=4,eta=0.05,inner=1", "stsl:steps=4,eta=0.05,inner=3", "stsl:steps=4,eta=0.1,inner=1",
                "stsl:steps=4,eta=0.1,inner=3", "stsl:eta=0.05,inner=1", "stsl:eta=0.05,inner=3", "stsl:eta=0.1,inner=1",
                "stsl:eta=0.1,inner=3"), variants);
        variants.forEach(Solvers::of);
    }

    @Test
    void leavesSolversWithoutTheOptionAsTheyAre() {
        assertEquals(List.of("ldps:steps=3", "stsl:eta=1", "stsl:eta=2"), expand(List.of("ldps:steps=3", "stsl"), "eta=1,2"));
    }

    @Test
    void valuesMayHaveOptionsOfTheirOwn() {
        assertEquals(List.of("ldps:sampler=ddim", "ldps:sampler=[dpmpp-2m:karras=true]"),
                expand(List.of("ldps"), "sampler=ddim,[dpmpp-2m:karras=true]"));
    }

    @Test
    void withoutSweepsNothingChanges() {
        assertEquals(List.of("ldps", "stsl:eta=0"), expand(List.of("ldps", "stsl:eta=0")));
    }

    @Test
    void refusesWhatHasNoMeaning() {
        assertEquals("--set eta: no solver of ldps psld:steps=3 has this option; 'tweedie restore --solver NAME --help' lists a "
                + "solver's options", fault(List.of("ldps", "psld:steps=3"), "eta=1"));
        assertEquals("--set eta: solver 'stsl:steps=2,eta=0' has a value for it already; remove one of the two",
                fault(List.of("stsl:steps=2,eta=0"), "eta=1"));
        assertEquals("--set eta: is given twice; list all values in one --set", fault(List.of("stsl"), "eta=1", "eta=2"));
        for (String set : List.of("eta", "eta=", "=1", "eta=1,,2", "eta=1,")) {
            assertEquals("--set: expected OPTION=VALUE,VALUE as in eta=0.05,0.1, got '" + set + "'", fault(List.of("stsl"), set));
        }
        assertEquals("solver 'sstl': unknown; did you mean 'stsl'?; known: " + String.join(", ", Solvers.names()),
                fault(List.of("sstl"), "eta=1"));
    }
}
