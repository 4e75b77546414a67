// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WorkQueueTest {
    private static Cell.Key key(String solver, int picture) {
        return new Cell.Key("p" + picture, "sr:4", "gaussian:0.01", solver, 1);
    }

    private static List<Cell.Key> run(String solver, int pictures) {
        List<Cell.Key> keys = new ArrayList<>();
        for (int i = 0; i < pictures; i++) {
            keys.add(key(solver, i));
        }
        return keys;
    }

    @Test
    void aWorkerGetsARunInOrder() {
        List<Cell.Key> keys = new ArrayList<>(run("a", 3));
        keys.addAll(run("b", 2));
        WorkQueue work = new WorkQueue(keys, 2);
        assertEquals(key("a", 0), work.next(0));
        assertEquals(key("b", 0), work.next(1));
        assertEquals(key("a", 1), work.next(0));
        assertEquals(key("b", 1), work.next(1));
        assertEquals(key("a", 2), work.next(1), "the rest of the other's run");
        assertNull(work.next(0));
        assertNull(work.next(1));
    }

    @Test
    void anIdleWorkerTakesTheSecondHalfOfTheLongestRun() {
        List<Cell.Key> keys = new ArrayList<>(run("a", 2));
        keys.addAll(run("b", 7));
        WorkQueue work = new WorkQueue(keys, 3);
        work.next(0);
        assertEquals(key("b", 0), work.next(1));
        assertEquals(key("b", 4), work.next(2), "b1 to b3 stay, b4 to b6 move");
        assertEquals(key("b", 5), work.next(2));
        assertEquals(key("b", 1), work.next(1));
    }

    /** Whatever the order in which workers ask, each key is handed out once. */
    @Test
    void eachKeyIsHandedOutOnce() {
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            List<Cell.Key> keys = new ArrayList<>();
            for (int r = 0; r < random.nextInt(6); r++) {
                keys.addAll(run("s" + r, 1 + random.nextInt(9)));
            }
            int workers = 1 + random.nextInt(4);
            WorkQueue work = new WorkQueue(keys, workers);
            List<Cell.Key> got = new ArrayList<>();
            for (int i = 0; i < keys.size(); i++) {
                got.add(work.next(random.nextInt(workers)));
            }
            assertNull(work.next(0));
            assertEquals(keys, keys.stream().filter(got::contains).toList());
            assertEquals(keys.size(), got.stream().distinct().count());
        }
    }

    @Test
    void nothingComesAfterTheStop() {
        WorkQueue work = new WorkQueue(run("a", 3), 2);
        work.next(0);
        work.stop();
        assertNull(work.next(0));
        assertNull(work.next(1));
    }
}
