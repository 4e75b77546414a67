// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class ShardsTest {
    private static final Tensor A = Tensor.of(Shape.of(2), 1f, 2f);
    private static final Tensor B = Tensor.of(Shape.of(1), 3f);

    @TempDir
    Path folder;
    private Path index;

    @BeforeEach
    void twoShards() throws IOException {
        index = folder.resolve("model.safetensors.index.json");
        SafeTensors.write(folder.resolve("one.safetensors"), Map.of("a", A), Map.of());
        SafeTensors.write(folder.resolve("two.safetensors"), Map.of("b", B), Map.of());
    }

    private void fails(String weightMap, String... parts) throws IOException {
        Files.writeString(index, "{\"metadata\":{\"total_size\":12},\"weight_map\":" + weightMap + "}");
        String message = assertThrows(CheckpointException.class, () -> Shards.open(index)).getMessage();
        assertTrue(message.startsWith(index.toString()), message);
        assertEquals(1, message.lines().count(), message);
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void joinsTheShards() throws IOException {
        Files.writeString(index, "{\"weight_map\":{\"b\":\"two.safetensors\",\"a\":\"one.safetensors\"}}");
        Tensor b;
        try (Shards shards = Shards.open(index)) {
            assertEquals(List.of("a", "b"), List.copyOf(shards.tensors().keySet()));
            assertEquals(List.of("one.safetensors", "two.safetensors"), shards.files());
            b = shards.tensors().get("b");
            assertArrayEquals(B.floats(), b.floats());
        }
        assertThrows(IllegalStateException.class, b::floats);
    }

    @Test
    void opensASingleFile() throws IOException {
        try (Shards shards = Shards.open(folder.resolve("one.safetensors"))) {
            assertArrayEquals(A.floats(), shards.tensors().get("a").floats());
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        fails("{\"a\":\"one.safetensors\",\"b\":\"three.safetensors\"}", "shard 'three.safetensors' is missing");
        fails("{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\"}", "tensor 'a'", "listed in shard 'two.safetensors'",
                "is in 'one.safetensors'");
        fails("{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}", "tensor 'c'", "is in no shard");
        fails("{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}", "'a' twice");
        SafeTensors.write(folder.resolve("two.safetensors"), Map.of("a", A, "b", B), Map.of());
        fails("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}", "tensor 'a'", "in both shards");
        SafeTensors.write(folder.resolve("two.safetensors"), Map.of("b", B, "c", B), Map.of());
        fails("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}", "tensor 'c'", "not in the index");
        fails("{}", "'weight_map' is empty");
        fails("3", "no object 'weight_map'");
    }

    @Test
    void doesNotLeaveItsFolder() throws IOException {
        for (String shard : List.of("../one.safetensors", "/etc/passwd", "..", "", "x\\\\y", "x\\u0000")) {
            fails("{\"a\":\"" + shard + "\"}", "beside the index");
        }
    }

    @Test
    void aBrokenShardIsNamed() throws IOException {
        Files.write(folder.resolve("two.safetensors"), new byte[5]);
        Files.writeString(index, "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        assertTrue(assertThrows(CheckpointException.class, () -> Shards.open(index, "unet/" + index.getFileName())).getMessage()
                .startsWith("unet/two.safetensors: the file has 5 bytes"));
    }
}
