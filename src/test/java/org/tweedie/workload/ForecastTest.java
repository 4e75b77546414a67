// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.eval.Degradation;
import org.tweedie.eval.CellPlan;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Shape;

class ForecastTest {
    private static final NetworkTimes TIMES = new NetworkTimes(1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000);

    @Test
    void eachCountHasItsTime() {
        assertEquals(87_654_321, TIMES.seconds(new Nfe(1, 2, 3, 4, 5, 6, 7, 8)));
    }

    /** One step of ldps takes 1 + 10 + 1000 + 10000 seconds, and the last decoding 1000. */
    @Test
    void countsOnlyWhatIsNotDone() {
        CellPlan plan = CellPlan.of(List.of("a", "b", "c"), Degradation.of(List.of("sr:4"), List.of(0.1)), List.of(1L),
                List.of("ldps:steps=1"), Shape.of(1, 32, 32, 3));
        Forecast forecast = new Forecast(plan, plan.keys().subList(7, 9), 1, 1); // the solver's cells are the last three
        assertEquals(Nfe.unet(2, 2).plus(Nfe.decode(4, 2)), forecast.left());
        List<String> lines = forecast.lines(TIMES, 4);
        assertEquals("solver=pinv cells=3 done=3 unet_forwards=0 unet_vjps=0 decodes=0 decode_vjps=0 encodes=0 seconds_each=0.00 "
                + "hours=0.000", lines.getFirst());
        assertEquals("solver=ldps:steps=1 cells=3 done=1 unet_forwards=1 unet_vjps=1 decodes=2 decode_vjps=1 encodes=0 "
                + "seconds_each=12011.00 hours=6.673", lines.get(2));
        assertEquals("cells=9 done=7 workers=4 hours=1.668", lines.getLast());
        assertEquals(forecast.left().times(2), new Forecast(plan, plan.keys().subList(7, 9), 1, 2).left());
    }
}
