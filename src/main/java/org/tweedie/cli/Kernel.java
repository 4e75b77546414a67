// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Output;
import org.tweedie.cli.console.Version;
import org.tweedie.options.Spelling;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.Machine;
import org.tweedie.ptx.PtxModule;
import org.tweedie.ptx.execution.Entry;
import org.tweedie.ptx.launch.Counts;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.Size;
import org.tweedie.weights.SafeTensors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs one kernel of a PTX file on the PTX machine, without a GPU: gives its results, its errors and its costs. */
@Command(name = "kernel", sortOptions = false,
        description = {"Runs one kernel of a PTX file on tensors, without a GPU, and counts its work. Accesses out of bounds, "
                + "reads of "
                + "memory that was never written, races and missing waits are errors that name line, block, thread and buffer. "
                + "Without ENTRY, lists the kernels of the file.", "", "An argument is one of:",
            "  NAME                a tensor of the --in file, which the kernel only reads",
            "  inout:NAME          a tensor of the --in file that the kernel reads and writes: a result",
            "  out:NAME:F32:2x65   a new tensor that the kernel writes: a result", "  null                a null pointer",
            "  7 or 0.5            a number of the parameter's type", "  ints:1:2:3          a struct of 32-bit integers", ""},
        footerHeading = "%nExamples:%n", footer = {"  tweedie kernel kernels/softmax.ptx",
            "  tweedie kernel k.ptx add --grid 2 --block 128 --in x.safetensors --args x,y,out:z:F32:200,200 -o z.safetensors"})
final class Kernel implements Callable<Integer> {
    private static final int MOST_NAMES = 8;

    @Parameters(index = "0", paramLabel = "FILE.ptx", description = "A file of PTX text, of version 8.5 or earlier.")
    private Path file;

    @Parameters(index = "1", arity = "0..1", paramLabel = "ENTRY", description = "The name of the kernel.")
    private String entry;

    @Option(names = "--grid", paramLabel = "X[,Y[,Z]]", defaultValue = "1", description = "Number of blocks in x, y and z. "
            + "Default: ${DEFAULT-VALUE}.")
    private String grid;

    @Option(names = "--block", paramLabel = "X[,Y[,Z]]", defaultValue = "32", description = "Number of threads of a block in x, "
            + "y and z. Default: ${DEFAULT-VALUE}.")
    private String block;

    @Option(names = "--shared", paramLabel = "BYTES", defaultValue = "0", description = "Bytes of dynamic shared memory. "
            + "Default: ${DEFAULT-VALUE}.")
    private int shared;

    @Option(names = "--in", paramLabel = "FILE.safetensors", description = "The file with the tensors that arguments name.")
    private Path in;

    @Option(names = "--args", paramLabel = "ARG[,ARG..]", defaultValue = "", description = "The arguments, one for each "
            + "parameter of the kernel.")
    private String args;

    @Option(names = "--approximations", paramLabel = "HOW", defaultValue = "nearest",
            description = "The results of ex2, rsqrt and other approximate instructions: nearest, or worst (with the largest "
                    + "error that the ISA allows). Default: ${DEFAULT-VALUE}.")
    private String approximations;

    @Option(names = {"-o", "--out"}, paramLabel = "FILE.safetensors", description = "The file to write the results to.")
    private Path out;

    @Override
    public Integer call() throws IOException {
        Notes.requireFile(file);
        PtxModule module = PtxModule.parse(file.getFileName().toString(), text());
        if (entry == null) {
            module.entries().forEach(name -> System.out.println(name + " " + module.entry(name).parameters()));
            return 0;
        }
        Spelling.check("approximations", approximations, List.of("nearest", "worst"));
        Entry kernel = module.entry(entry);
        if (out != null) {
            Output.check(out, ".safetensors", in);
        }
        if (in == null) {
            run(kernel, Map.of());
        } else {
            Notes.requireFile(in);
            try (SafeTensors tensors = SafeTensors.open(in)) {
                run(kernel, tensors.tensors());
            }
        }
        return 0;
    }

    private String text() throws IOException {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": expected PTX text, got a binary file (a .cubin?); write PTX with nvcc "
                    + "-ptx", e);
        }
    }

    private void run(Entry kernel, Map<String, Tensor> tensors) throws IOException {
        List<String> words = args.isEmpty() ? List.of() : List.of(args.split(",", -1));
        List<String> types = kernel.parameters();
        if (words.size() != types.size()) {
            throw new IllegalArgumentException("kernel " + entry + ": expected " + types.size() + " arguments " + types + ", got "
                    + words.size());
        }
        try (Arena arena = Arena.ofConfined()) {
            Memory memory = new Memory();
            KernelArguments arguments = new KernelArguments(tensors, memory, arena);
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < words.size(); i++) {
                values.add(arguments.of(i + 1, words.get(i), types.get(i)));
            }
            if (arguments.hasResults() != (out != null)) {
                throw new IllegalArgumentException(out == null ? "kernel " + entry
                        + ": the kernel has results; name a file for them with -o"
                        : out + ": the kernel has no results; make one of its arguments out:NAME:TYPE:DxD or inout:NAME");
            }
            MachineOptions options = new MachineOptions(true, true, true,
                    approximations.equals("worst") ? MachineOptions.Approximation.WORST
                    : MachineOptions.Approximation.NEAREST, 1);
            long start = System.nanoTime();
            Counts counts = new Machine(memory, options).launch(kernel, size("--grid", grid), size("--block", block), shared,
                    values.toArray());
            double seconds = (System.nanoTime() - start) / 1e9;
            if (out != null) {
                SafeTensors.write(out, arguments.results(), Map.of("tweedie", Version.number()));
            }
            report(counts, seconds);
        }
    }

    private static Size size(String option, String text) {
        if (!text.matches("[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,2}")) {
            throw new IllegalArgumentException(option + ": expected one to three positive numbers, as in 4,2, got '"
                    + text + "'");
        }
        String[] n = text.split(",");
        return new Size(Integer.parseInt(n[0]), n.length > 1 ? Integer.parseInt(n[1]) : 1,
                n.length > 2 ? Integer.parseInt(n[2]) : 1);
    }

    private void report(Counts c, double seconds) {
        System.out.println("memory           bytes loaded      bytes stored   details");
        System.out.printf("global  %,20d  %,16d   %d + %d sectors of 32 bytes, %s %% of their bytes used%n", c.globalLoadBytes,
                c.globalStoreBytes,
                c.globalLoadSectors, c.globalStoreSectors, Numbers.of(100 * c.coalescing(), 1));
        System.out.printf("shared  %,20d  %,16d   %d passes over the banks, %d without conflicts%n", c.sharedLoadBytes,
                c.sharedStoreBytes,
                c.sharedPasses, c.sharedPassesAtLeast);
        System.out.printf("local   %,20d bytes loaded and stored%n", c.localBytes);
        c.byName.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()).thenComparing(
                Map.Entry.comparingByKey()))
                .limit(MOST_NAMES).forEach(e -> System.out.printf("%,12d  %s%n", e.getValue(), e.getKey()));
        Map<String, String> words = new LinkedHashMap<>();
        words.put("kernel", entry);
        words.put("warp_instructions", Long.toString(c.warpInstructions));
        words.put("thread_instructions", Long.toString(c.threadInstructions));
        words.put("coalescing", Numbers.of(c.coalescing(), 3));
        words.put("bank_conflicts", Long.toString(c.sharedPasses - c.sharedPassesAtLeast));
        words.put("seconds", Numbers.of(seconds, 2));
        if (out != null) {
            words.put("written", out.toString());
        }
        Notes.result(words);
    }
}
