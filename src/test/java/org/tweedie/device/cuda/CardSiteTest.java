// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.ptx.launch.MachineOptions;

/** Tests, without a card, the code by which the tests of kernels reach a card. */
class CardSiteTest {
    @Test
    void writesLaunchesReadsAndFrees() {
        MachineDriver driver = new MachineDriver(MachineOptions.running(1));
        Driver.Context context = driver.retain(0);
        driver.makeCurrent(context);
        Driver.Stream stream = driver.stream();
        KernelModules modules = new KernelModules(driver, new DeviceMemory(driver), driver.card(0).sharedMemory());
        try (CardSite site = new CardSite(driver, stream, modules)) {
            long x = site.allocate(512 + 64, 256, (byte) 0xFF) + 256;
            long y = site.allocate(512 + 32, 256, (byte) 0xFF) + 256;
            ByteBuffer numbers = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < 16; i++) {
                numbers.putFloat(4 * i, i - 8.5f);
            }
            site.write(x, MemorySegment.ofArray(numbers.array()));
            Buffer from = new Buffer("x", DType.F32, Shape.of(16), x);
            Buffer to = new Buffer("y", DType.F16, Shape.of(16), y);
            site.launch(new Launch("elementwise", "cast_f32_f16", Launch.Dim.of(1), Launch.Dim.of(256), 0,
                    List.of(new Arg.In(from), new Arg.Out(to), new Arg.I64(16))));
            Launch wrong = new Launch("elementwise", "cast_f32_f16", Launch.Dim.of(1), Launch.Dim.of(256), 0,
                    List.of(new Arg.In(from), new Arg.Out(to), new Arg.I32(16)));
            assertThrows(AssertionError.class, () -> site.launch(wrong), "a test that could not see this would be worth little");
            ByteBuffer got = ByteBuffer.wrap(site.read(y, 32)).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = 0; i < 16; i++) {
                assertEquals(i - 8.5f, Float.float16ToFloat(got.getShort(2 * i)));
            }
            assertArrayEquals(new byte[] {-1, -1}, site.read(y + 32, 2), "what lies behind is as it was");
        }
        modules.close();
        driver.destroy(stream);
        driver.release(0);
        driver.vendor.close();
        driver.assertNothingStays();
    }
}
