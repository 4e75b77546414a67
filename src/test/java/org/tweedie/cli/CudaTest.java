// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.device.Devices;

/** The errors that a user without a GPU gets for --device cuda. */
class CudaTest {
    @TempDir
    Path folder;

    @Test
    void aMachineWithoutACardSaysWhatIsMissingAndWritesNothing() {
        Devices.Status s = Devices.status("cuda");
        assumeFalse(s.usable(), "this machine has a card");
        Path out = folder.resolve("out.png");
        Cli c = Cli.run("generate", "a dress", "--model", Cli.TINY, "--device", "cuda", "-o", out.toString());
        assertEquals(1, c.code(), c.err());
        assertEquals("tweedie: device 'cuda' unavailable: " + s.text() + " (./tweedie doctor lists what can be used here)",
                c.err().strip());
        assertTrue(s.text().contains("expected"), s.text());
        assertFalse(Files.exists(out));
    }
}
