// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.tweedie.program.DType;
import org.tweedie.ptx.launch.MachineOptions;

/** Tests whole networks through the host side of the CUDA device, on a driver that runs on the PTX machine. */
class CudaNetworkTest {
    @Test
    void networksAgreeWithPytorchInF32() throws IOException {
        networks(DType.F32, false, 1e-4);
    }

    /** Here the library computes attention. */
    @Test
    void networksAgreeWithPytorchInBf16() throws IOException {
        networks(DType.BF16, true, 6e-2);
    }

    private static void networks(DType t, boolean offer, double tolerance) throws IOException {
        MachineDriver driver = new MachineDriver(MachineOptions.running(2));
        if (offer) {
            driver.vendor.offerAll();
        }
        try (CudaDevice d = new CudaDevice(driver, (x, s, c, m) -> driver.vendor, new CudaOptions(t, true, 0, null, false),
                Ranges.NONE)) {
            CudaNetworks.unet(d, tolerance);
            CudaNetworks.autoencoder(d, tolerance);
            assertEquals(0, d.liveBytes());
        }
        driver.assertNothingStays();
    }
}
