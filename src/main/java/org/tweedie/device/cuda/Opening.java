// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.nio.file.Path;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.cuda.driver.Jcuda;
import org.tweedie.device.cudnn.Cudnn;
import org.tweedie.device.cudnn.engine.PlanCache;
import org.tweedie.device.nvidia.JcudaNatives;
import org.tweedie.device.nvidia.Libraries;
import org.tweedie.device.nvidia.Loaded;
import org.tweedie.device.nvidia.Missing;
import org.tweedie.device.nvidia.Nvtx;
import org.tweedie.device.nvidia.SearchPath;

/**
 * Opens a card of this machine. It finds NVIDIA's libraries, loads each one before those that need it, and then opens JCuda and
 * the card.
 */
final class Opening {
    private Opening() {}

    /**
     * Opens a card.
     *
     * @throws UnsatisfiedLinkError in one line: which library is missing or does not fit, and what to do
     * @throws CudaException when the driver finds no card, or the card cannot be used
     * @throws IllegalStateException when there is no card, or it is too old
     * @throws IllegalArgumentException when there is no card of that number
     */
    static CudaDevice open(CudaOptions options) {
        JcudaNatives.require(); // before the driver is looked for: it is the program's to add, whatever the machine has
        Libraries libraries = Libraries.find();
        // the driver must be installed by the user; all other libraries can be fetched
        if (libraries.driver() instanceof Missing m) {
            throw new UnsatisfiedLinkError(m.what() + ": " + m.text());
        }
        JcudaNatives.DRIVER.load();
        Loaded loaded = Loaded.of(libraries);
        JcudaNatives.CUBLAS.load();
        return new CudaDevice(new Jcuda(), (driver, stream, card, memory) -> cudnn(loaded, driver, stream, card, memory), options,
                options.nvtx() ? ranges(Nvtx.open()) : Ranges.NONE);
    }

    private static Cudnn cudnn(Loaded loaded, Driver driver, Driver.Stream stream, Driver.Card card, DeviceMemory memory) {
        Path plans = SearchPath.fetched().resolveSibling("cudnn-plans.json");
        PlanCache cache = new PlanCache(plans, line -> System.err.println("tweedie: note: " + line));
        return Cudnn.open(loaded.symbols(), stream.address(), card.toString(), compilers(driver.version(), loaded.nvrtcVersion()),
                card.capability(), cache, new CudnnTrials(driver, stream, memory));
    }

    /**
     * Names the compilers that make kernels.
     *
     * @param driver the driver's CUDA version, 1000 x major + 10 x minor
     * @param nvrtc NVRTC's version, for example 12.6
     */
    static String compilers(int driver, String nvrtc) {
        return "NVRTC " + nvrtc + ", driver for CUDA " + driver / 1000 + "." + driver % 1000 / 10;
    }

    private static Ranges ranges(Nvtx nvtx) {
        return new Ranges() {
            @Override
            public void push(String name) {
                nvtx.push(name);
            }

            @Override
            public void pop() {
                nvtx.pop();
            }
        };
    }
}
