// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** bench/gpu-check where there is no GPU: dry, and on a pack whose java is a stand-in that says what the real one would. */
class GpuCheckTest {
    @TempDir
    Path folder;

    private record Ran(int code, String out, String err) {}

    private Ran check(String script, String... args) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("bash", Path.of(script).toAbsolutePath().toString()));
        line.addAll(List.of(args));
        Process p = new ProcessBuilder(line).directory(folder.toFile()).redirectError(folder.resolve("err").toFile()).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ran(p.waitFor(), out, Files.readString(folder.resolve("err")));
    }

    @Test
    void dryItNamesTheMachineAndMeasuresNothing() throws Exception {
        Ran r = check("bench/gpu-check", "--dry-run", "--only", "environment,restore", "--out", "results");
        assertEquals(0, r.code, r.out + r.err);
        assertTrue(r.out.contains("dry run: nothing was launched, so nothing was measured"), r.out);
        assertTrue(r.out.contains("  processor "), r.out);
        assertTrue(Files.readAllLines(folder.resolve("results/results.csv")).stream()
                .anyMatch(l -> l.matches("restore,tweedie,restore,1,graphs,f16,,,,,not run: .*")));
        assertFalse(r.out.contains("reached"), r.out);
    }

    @Test
    void teachesWhatToAskFor() throws Exception {
        Ran r = check("bench/gpu-check", "--only", "benches");
        assertEquals(2, r.code);
        assertTrue(r.err.contains("part 'benches': unknown; known: environment ceilings suite demo sanitizer bench peers restore"), r.err);
        r = check("bench/pack-gpu");
        assertEquals(2, r.code);
        assertTrue(r.err.contains("expected one folder to write: bench/pack-gpu [--thin] FOLDER"), r.err);
    }

    /** Times 7.12 ms each, but for one thing that fails: the others after it are measured all the same. */
    private Path standIn() throws IOException {
        Path java = Files.createDirectories(folder.resolve("pack/runtime/bin")).resolve("java");
        Files.writeString(java, """
                #!/usr/bin/env bash
                a="$*"
                case $a in
                    *execute*) echo "[         6 tests successful      ]"; echo "[         1 tests failed          ]"; exit 1 ;;
                    *"--graphs off"*) echo "tweedie: cuda: cuLaunchKernel failed" >&2; exit 1 ;;
                    *profile*)
                        w=${a##*--what }; w=${w%% *}; d=${a##*--dtype }; d=${d%% *}
                        for i in ${w//,/ }; do
                            case $i in
                                decode:1) echo "tweedie: cuda: cuMemAlloc failed, out of memory" >&2; exit 1 ;;
                                restore:1) echo "{\\"what\\":\\"restore\\",\\"batch\\":1,\\"dtype\\":\\"$d\\",\\"seconds\\":12.5}" ;;
                                *) echo "{\\"what\\":\\"${i%:*}\\",\\"batch\\":${i#*:},\\"dtype\\":\\"$d\\",\\"median_s\\":0.00712,\\"fastest_s\\":7.0E-3,\\"device_bytes\\":2097152}" ;;
                            esac
                        done ;;
                esac
                """);
        assertTrue(java.toFile().setExecutable(true));
        Path pack = folder.resolve("pack");
        Files.createDirectories(pack.resolve("target/lib"));
        for (String empty : List.of("VERSION", "target/tweedie.jar", "target/tests.jar", "target/junit-platform-console-standalone.jar")) {
            Files.createFile(pack.resolve(empty));
        }
        return pack;
    }

    @Test
    void failuresHideNothing() throws Exception {
        Ran r = check("bench/gpu-check", "--pack", standIn().toString(), "--only", "suite,bench,restore", "--out", "results");
        assertEquals(1, r.code, r.err);
        List<String> rows = Files.readAllLines(folder.resolve("results/results.csv"));
        assertEquals("part,who,what,batch,mode,dtype,value,unit,fastest,memory_mib,status", rows.getFirst());
        assertTrue(rows.contains("suite,tweedie,device tests,,,,6,tests passed,,,failed: 1 tests; see log.txt"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,unet,2,graphs,f16,7.120,ms,7.000,2,ok"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,decode,1,graphs,bf16,,,,,failed (1): tweedie: cuda: cuMemAlloc failed; out of memory"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,encode-vjp,1,graphs,bf16,7.120,ms,7.000,2,ok"), rows.toString());
        assertTrue(rows.contains("restore,tweedie,restore,1,graphs,f16,12.50,s,,,ok"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,unet,2,no-graphs,f16,,,,,failed (1): tweedie: cuda: cuLaunchKernel failed"), rows.toString());
        assertTrue(r.out.contains("  bench: tweedie unet 2 no-graphs f16: failed (1): tweedie: cuda: cuLaunchKernel failed"), "the only thing of a list is named too: " + r.out);
        JsonArray json = JsonParser.parseString(Files.readString(folder.resolve("results/results.json"))).getAsJsonArray();
        assertEquals(rows.size() - 1, json.size());
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *guided UNet step, batch 2, ms +7.12 +at most 9.5 +reached")), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *decoder forward \\+ VJP over forward +not run +at most 2.1 +not measured")), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *50 x 5 restoration at 512 px, s +12.50 +at most 10 +missed")), r.out);
    }
}
