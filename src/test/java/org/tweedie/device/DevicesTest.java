// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What a machine's devices are said to be. */
class DevicesTest {
    private static final String OLD_CARD = "expected a card of compute capability 8.0 (Ampere) or more, got GeForce GTX 1080 "
            + "(sm_61); use --device cpu";

    @Test
    void aCardThatIsRefusedIsAReasonNotTheEndOfDoctor() {
        Devices.Status s = Devices.status("cuda", () -> {
            throw new IllegalStateException(OLD_CARD);
        });
        assertFalse(s.usable());
        assertEquals(OLD_CARD, s.text());
    }

    @Test
    void theReferenceIsAlwaysThere() {
        assertTrue(Devices.status("reference").usable());
        assertTrue(Devices.available().contains("reference"));
    }
}
