// SPDX-License-Identifier: Apache-2.0
package org.tweedie.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.tweedie.model.Tokenizer;
import org.tweedie.weights.SafeTensors;

/** Times what is read before a network runs: the demo model's files, which the system holds in memory after the first time. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class FileBenchmark {
    private static final Path MODEL = Path.of("weights-tools/demo-model");
    private static final String PROMPT = "a photo of a red dress with long sleeves, on a white background, in soft light";

    private Tokenizer tokenizer;

    @Setup
    public void open() throws IOException {
        tokenizer = Tokenizer.open(MODEL.resolve("tokenizer"));
    }

    /** Maps the UNet's file and reads its header. */
    @Benchmark
    public int safetensorsOpen() throws IOException {
        try (SafeTensors file = SafeTensors.open(MODEL.resolve("unet/diffusion_pytorch_model.safetensors"))) {
            return file.tensors().size();
        }
    }

    @Benchmark
    public Tokenizer tokenizerOpen() throws IOException {
        return Tokenizer.open(MODEL.resolve("tokenizer"));
    }

    @Benchmark
    public long[] tokenizerIds() {
        return tokenizer.ids(PROMPT);
    }
}
