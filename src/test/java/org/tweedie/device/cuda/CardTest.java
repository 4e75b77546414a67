// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.program.DType;

/**
 * Tests a real card: every op with its derivatives against the reference device, and the networks with theirs against PyTorch's
 * values, in all types, launch by launch and as graphs. The tests run with {@code -Dtweedie.device=cuda} only.
 */
@EnabledIfSystemProperty(named = "tweedie.device", matches = "cuda")
class CardTest {
    /**
     * The tolerances are those of the simulated device (SimConformanceTest, docs/numerics.md): the error that rounding to the
     * type causes in one op, and in a network.
     */
    private static final Map<DType, Double> OP = Map.of(DType.F32, 1e-5, DType.F16, 2e-3, DType.BF16, 1.6e-2);
    private static final Map<DType, Double> NETWORK = Map.of(DType.F32, 1e-4, DType.F16, 1e-2, DType.BF16, 6e-2);

    private static final Map<DType, CudaDevice> DEVICES = new EnumMap<>(DType.class);

    @BeforeAll
    static void open() {
        for (DType t : OP.keySet()) {
            DEVICES.put(t, CudaDevice.open(new CudaOptions(t, true, 0, null, false)));
        }
        System.out.println("card: " + DEVICES.get(DType.F32).description());
    }

    @AfterAll
    static void close() {
        DEVICES.values().forEach(d -> {
            assertEquals(0, d.liveBytes());
            d.close();
        });
    }

    static Stream<Arguments> cases() {
        return OpCase.all().flatMap(c -> OP.keySet().stream().sorted().map(t -> Arguments.of(t, c)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void opsAgreeWithReference(DType t, OpCase c) {
        CudaConformanceTest.agrees(c, DEVICES.get(t), OP.get(t));
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    void networksAgreeWithPytorch(DType t) throws Exception {
        CudaNetworks.unet(DEVICES.get(t), NETWORK.get(t));
        CudaNetworks.autoencoder(DEVICES.get(t), NETWORK.get(t));
    }
}
