// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class SafeTensorsRoundTripTest {
    @Property(tries = 100, seed = "7")
    void whatIsWrittenIsRead(@ForAll("tensors") Map<String, Tensor> tensors,
            @ForAll("metadata") Map<String, String> metadata) throws Exception {
        Path folder = Files.createTempDirectory("tweedie-round-trip");
        Path path = folder.resolve("x.safetensors");
        try {
            SafeTensors.write(path, tensors, metadata);
            try (SafeTensors file = SafeTensors.open(path)) {
                assertEquals(metadata, file.metadata());
                assertEquals(tensors.keySet(), file.tensors().keySet());
                for (var e : tensors.entrySet()) {
                    Tensor read = file.tensor(e.getKey());
                    assertEquals(e.getValue().dtype(), read.dtype());
                    assertEquals(e.getValue().shape(), read.shape());
                    assertArrayEquals(bytes(e.getValue()), bytes(read), e.getKey());
                    assertEquals(0, (read.data().address()) % read.dtype().bytes(), "aligned");
                }
            }
        } finally {
            Files.delete(path);
            Files.delete(folder);
        }
    }

    private static byte[] bytes(Tensor t) {
        return t.data().toArray(ValueLayout.JAVA_BYTE);
    }

    @Provide
    Arbitrary<Map<String, Tensor>> tensors() {
        Arbitrary<Tensor> tensor = Combinators.combine(Arbitraries.of(DType.class),
                Arbitraries.integers().between(0, 5).array(int[].class).ofMaxSize(4), Arbitraries.longs())
                .as((dtype, dims, seed) -> {
                    byte[] data = new byte[(int) Shape.of(dims).size() * dtype.bytes()];
                    new Random(seed).nextBytes(data);
                    return new Tensor(dtype, Shape.of(dims), MemorySegment.ofArray(data));
                });
        return Arbitraries.maps(text().filter(n -> !n.equals("__metadata__")), tensor).ofMaxSize(8).map(LinkedHashMap::new);
    }

    @Provide
    Arbitrary<Map<String, String>> metadata() {
        return Arbitraries.maps(text(), text()).ofMaxSize(3);
    }

    /** Returns any text without lone surrogates, control characters and quotes included. */
    private static Arbitrary<String> text() {
        return Arbitraries.integers().between(0, Character.MAX_CODE_POINT)
                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                .list().ofMaxSize(6).map(cs -> cs.stream().map(Character::toString).reduce("", String::concat));
    }
}
