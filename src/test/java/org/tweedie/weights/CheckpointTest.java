// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class CheckpointTest {
    private static final Path DEMO = Path.of("weights-tools/demo-model");

    @TempDir
    Path folder;

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private Checkpoint small() throws IOException {
        write("model_index.json", "{\"_class_name\":\"StableDiffusionPipeline\"}");
        write("unet/config.json", "{\"_class_name\":\"UNet2DConditionModel\"}");
        return Checkpoint.open(folder);
    }

    private static void refused(Class<? extends Exception> kind, Executable what, String... parts) {
        String message = assertThrows(kind, what).getMessage();
        assertEquals(1, message.lines().count(), message);
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void opensTheDemoModel() throws IOException {
        Tensor kept;
        try (Checkpoint c = Checkpoint.open(DEMO)) {
            assertEquals("StableDiffusionPipeline", c.index().text("_class_name"));
            CheckpointPart unet = c.module("unet");
            assertSame(unet, c.module("unet"));
            assertEquals(128, unet.config().integer("cross_attention_dim"));
            assertEquals(List.of("unet/diffusion_pytorch_model.safetensors"), unet.files());
            kept = unet.tensors().get("conv_in.weight");
            assertEquals("F16[96,4,3,3]", kept.toString());
            assertEquals("scaled_linear", c.module("scheduler").config().text("beta_schedule"));
            for (String name : List.of("unet", "vae", "text_encoder")) {
                c.module(name).checkFinite();
            }
            assertTrue(Files.exists(c.folder("tokenizer").resolve("merges.txt")));
        }
        assertThrows(IllegalStateException.class, kept::floats);
    }

    @Test
    void saysWhatIsNoCheckpoint() throws IOException {
        refused(IllegalArgumentException.class, () -> Checkpoint.open(folder.resolve("none")), "no such folder");
        refused(IllegalArgumentException.class, () -> Checkpoint.open(write("sd15.safetensors", "x")), "is a file",
                "single-file");
        refused(IllegalArgumentException.class, () -> Checkpoint.open(folder), "has no model_index.json", "check the path");
        refused(IllegalArgumentException.class, () -> Checkpoint.open(DEMO.resolve("unet")), "name the folder above it");
        write("model_index.json", "{\"a\":");
        refused(CheckpointException.class, () -> Checkpoint.open(folder), "model_index.json: is not valid JSON at line 1");
    }

    @Test
    void saysWhatAPartLacks() throws IOException {
        Checkpoint c = small();
        refused(IllegalArgumentException.class, () -> c.module("vae"), "has no folder vae/");
        Files.createDirectory(folder.resolve("vae"));
        refused(CheckpointException.class, () -> c.module("vae"), "vae/config.json: no such file");
        write("vae/config.json", "[]");
        refused(CheckpointException.class, () -> c.module("vae"), "vae/config.json: expected a JSON object");
        refused(IllegalArgumentException.class, () -> c.module("unet").tensors(),
                "unet: expected diffusion_pytorch_model.safetensors",
                "got config.json");
        write("unet/diffusion_pytorch_model.bin", "pickle");
        refused(IllegalArgumentException.class, () -> c.module("unet").tensors(), "pickled weights");
        write("unet/diffusion_pytorch_model.safetensors", "short");
        refused(CheckpointException.class, () -> c.module("unet").tensors(),
                "unet/diffusion_pytorch_model.safetensors: the file has 5 bytes");
    }

    @Test
    void findsHalfPrecisionAndSharedWeights() throws IOException {
        try (Checkpoint c = small()) {
            SafeTensors.write(folder.resolve("unet/diffusion_pytorch_model.fp16.safetensors"), Map.of("w", Tensor.scalar(1)),
                    Map.of());
            assertEquals(Set.of("w"), c.module("unet").tensors().keySet());
        }
        write("unet/diffusion_pytorch_model.safetensors.index.json",
                "{\"weight_map\":{\"w\":\"diffusion_pytorch_model.fp16.safetensors\"}}");
        try (Checkpoint c = Checkpoint.open(folder)) {
            assertEquals(List.of("diffusion_pytorch_model.fp16.safetensors"), c.module("unet").files());
        }
    }

    @Test
    void theReportNamesTheModelAndItsClass() throws IOException {
        Checkpoint c = small();
        SafeTensors.write(folder.resolve("unet/diffusion_pytorch_model.safetensors"), Map.of("w", Tensor.scalar(1)), Map.of());
        String report = assertThrows(IllegalArgumentException.class, () -> c.module("unet").weights().finish(Set.of()))
                .getMessage();
        assertTrue(report.startsWith("unet: the checkpoint does not fit"), report);
        assertTrue(report.endsWith("is this an SD 1.x or 2.x UNet (UNet2DConditionModel)? "
                + "unet/config.json names UNet2DConditionModel"), report);
        c.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "F32", "F64"})
    void findsNotFiniteNumbersAnywhere(DType dtype) {
        long ones = 0x3F80_0000_0000_0000L >> 64 - 8 * dtype.bytes();   // some finite number
        long[] bad = switch (dtype) {
            case F16 -> new long[] {0x7C00, 0xFC00, 0x7E00, 0xFFFF, 0x7C01};
            case BF16 -> new long[] {0x7F80, 0xFF80, 0x7FC0, 0xFFFF, 0x7F81};
            case F32 -> new long[] {0x7F800000L, 0xFF800000L, 0x7FC00000L, 0x7F800001L};
            default -> new long[] {0x7FF0L << 48, 0xFFF0L << 48, 0x7FF8L << 48, (0x7FF0L << 48) + 1};
        };
        long largest = bad[0] - 1;
        for (int n = 1; n < 12; n++) {
            byte[] data = new byte[n * dtype.bytes()];
            for (int i = 0; i < n; i++) {
                put(data, i, i % 2 == 0 ? ones : largest, dtype.bytes());
            }
            Tensor t = new Tensor(dtype, Shape.of(n), MemorySegment.ofArray(data));
            FiniteCheck.check("vae", Map.of("w", t));
            for (long bits : bad) {
                byte[] worse = data.clone();
                put(worse, n / 2, bits, dtype.bytes());
                String message = assertThrows(IllegalStateException.class, () -> FiniteCheck.check("vae",
                        Map.of("w", new Tensor(dtype, t.shape(), MemorySegment.ofArray(worse))))).getMessage();
                assertTrue(message.startsWith("vae: tensor 'w' " + t + " has "), message);
                assertTrue(message.contains("at element " + n / 2 + ";"), message);
            }
        }
    }

    private static void put(byte[] data, int i, long bits, int bytes) {
        for (int b = 0; b < bytes; b++) {
            data[i * bytes + b] = (byte) (bits >> 8 * b);
        }
    }
}
