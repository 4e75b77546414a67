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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs bench/gpu-check without a GPU: as a dry run, and on a pack whose java is a stand-in that prints what the real one
 * would.
 */
class GpuCheckTest {
    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();

    private record Ran(int code, String out, String err) {}

    private Ran check(String script, String... args) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of("bash", Path.of(script).toAbsolutePath().toString()));
        line.addAll(List.of(args));
        ProcessBuilder b = new ProcessBuilder(line).directory(folder.toFile()).redirectError(folder.resolve("err").toFile());
        b.environment().compute("PATH", (_, path) -> folder.resolve("bin") + ":" + path);
        b.environment().putAll(environment);
        Process p = b.start();
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

    /**
     * Empty files suffice to be found. Both versions of NVRTC are offered, since only Tweedie reads for which CUDA version
     * cuDNN was built.
     */
    @Test
    void librariesThatTheUserNamesComeFirst() throws Exception {
        for (String library : List.of("named/libcublas.so.12", "path/libcublas.so.12", "path/libcudnn.so.9",
                "path/libnvrtc.so.12", "named/libnvrtc.so.13")) {
            Files.createDirectories(folder.resolve(library).getParent());
            Files.createFile(folder.resolve(library));
        }
        String named = folder.resolve("named").toString();
        String path = folder.resolve("path").toString();
        environment.put("TWEEDIE_CUDA_LIBRARIES", named);
        environment.put("LD_LIBRARY_PATH", path);
        program("pack/runtime/bin/java", "#!/usr/bin/env bash\n[[ $* != *doctor* ]] || printf '%s:\\n' $TWEEDIE_CUDA_LIBRARIES "
                + "$LD_LIBRARY_PATH > offered\n");
        Ran r = check("bench/gpu-check", "--dry-run", "--pack", pack().toString(), "--only", "environment", "--out", "results");
        assertEquals(0, r.code, r.out + r.err);
        List<String> rows = Files.readAllLines(folder.resolve("results/results.csv"));
        assertTrue(rows.contains("environment,machine,cublas,,,," + named + ",,,,ok"), rows.toString());
        assertTrue(rows.contains("environment,machine,cudnn,,,," + path + ",,,,ok"), rows.toString());
        assertTrue(rows.contains("environment,machine,nvrtc,,,," + path + " and " + named + ",,,,ok"), rows.toString());
        List<String> offered = Files.readAllLines(folder.resolve("offered"));
        assertTrue(offered.get(0).startsWith(named + ":" + path + ":"), offered.toString());
        assertTrue(offered.get(1).startsWith(path + ":" + named + ":"), offered.toString());
    }

    @Test
    void teachesWhatToAskFor() throws Exception {
        Ran r = check("bench/gpu-check", "--only", "benches");
        assertEquals(2, r.code);
        assertTrue(r.err.contains("part 'benches': unknown; known: environment ceilings suite choose demo sanitizer bench peers "
                + "restore"), r.err);
        r = check("bench/pack-gpu");
        assertEquals(2, r.code);
        assertTrue(r.err.contains("expected one folder to write: bench/pack-gpu [--thin] FOLDER"), r.err);
    }

    private void program(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertTrue(file.toFile().setExecutable(true));
    }

    /**
     * A stand-in whose times are 7.12 ms each, except for one measurement that fails; those after it must be measured all the
     * same.
     */
    private Path standIn() throws IOException {
        program("pack/runtime/bin/java", """
                #!/usr/bin/env bash
                a="$*"
                case $a in
                    *discover*CardTest*) echo "  +-- CardTest"; echo "  | +-- networks(DType)" ;;
                    *discover*kernels*) echo "  +-- NoiseTest"; echo "  | '-- same(Kind)"
                        echo "  '-- NormsTest"; echo "    '-- agrees()" ;;
                    *discover*) echo "  '-- NoiseTest"; echo "    '-- same(Kind)" ;;
                    *execute*sanitized*) echo "JUnit Jupiter > NoiseTest > same(Kind) > [1] kind=1, 7 :: STARTED"; exit 0 ;;
                    *execute*NormsTest*) echo "JUnit Jupiter > NormsTest > agrees() :: STARTED"
                        echo "JUnit Jupiter > NormsTest > agrees() :: SUCCESSFUL" ;;
                    *execute*NoiseTest*)
                        for i in 1 2 3; do
                            echo "JUnit Jupiter > NoiseTest > same(Kind) > [$i] kind=$i, 7 :: STARTED"
                            ((i == 1)) && echo "JUnit Jupiter > NoiseTest > same(Kind) > [$i] kind=$i, 7 :: SUCCESSFUL" \\
                                && continue
                            echo "JUnit Jupiter > NoiseTest > same(Kind) > [$i] kind=$i, 7 :: FAILED"
                            printf '\\tCudaException: fault %s\\n\\t\\tat ours\\n' $i
                        done
                        exit 1 ;;
                    *execute*)
                        echo "JUnit Jupiter > CardTest > networks(DType) > [1] F16 :: STARTED"; echo "killed" >&2; exit 134 ;;
                    *profile*)
                        w=${a##*--what }; w=${w%% *}; d=${a##*--dtype }; d=${d%% *}
                        for i in ${w//,/ }; do
                            case $i in
                                decode:1) echo "tweedie: cuda: cuMemAlloc failed, out of memory" >&2; exit 1 ;;
                                restore:1)
                                    [[ -z ${RESTORE_FAILS:-} ]] || { echo "tweedie: cuda: cuLaunchKernel failed" >&2; exit 1; }
                                    echo "{\\"what\\":\\"restore\\",\\"batch\\":1,\\"dtype\\":\\"$d\\",\\"seconds\\":12.5}" ;;
                                unet:2)
                                    printf '%s%s\\n' "{\\"what\\":\\"unet\\",\\"batch\\":2,\\"dtype\\":\\"$d\\"," \\
                                        "\\"median_s\\":0.008,\\"fastest_s\\":7.9E-3,\\"device_s\\":0.0078}" ;;
                                *) printf '%s%s\\n' "{\\"what\\":\\"${i%:*}\\",\\"batch\\":${i#*:},\\"dtype\\":\\"$d\\"," \\
                                    "\\"median_s\\":0.00712,\\"fastest_s\\":7.0E-3,\\"device_bytes\\":2097152}" ;;
                            esac
                        done ;;
                esac
                """);
        return pack();
    }

    private Path pack() throws IOException {
        Path pack = folder.resolve("pack");
        Files.createDirectories(pack.resolve("target/lib"));
        for (String empty : List.of("VERSION", "target/tweedie.jar", "target/tests.jar",
                "target/junit-platform-console-standalone.jar")) {
            Files.createFile(pack.resolve(empty));
        }
        return pack;
    }

    @Test
    void failuresHideNothing() throws Exception {
        Ran r = check("bench/gpu-check", "--pack", standIn().toString(), "--only", "suite,choose,bench,restore",
                "--out", "results");
        assertEquals(1, r.code, r.err);
        List<String> rows = Files.readAllLines(folder.resolve("results/results.csv"));
        assertEquals("part,who,what,batch,mode,dtype,value,unit,fastest,memory_mib,status", rows.getFirst());
        assertTrue(rows.contains("suite,tweedie,CardTest: networks,,,,0,tests passed,,,failed (134): killed; after 0 cases; the "
                + "last begun CardTest > networks(DType) > [1] F16"),
                rows.toString());
        assertTrue(rows.contains("suite,tweedie,kernels: NoiseTest,,,,1,tests passed,,,failed: 2 tests; first NoiseTest > "
                + "same(Kind) > [2] kind=2; 7: CudaException: fault 2"),
                rows.toString());
        assertTrue(rows.contains("suite,tweedie,kernels: NormsTest,,,,1,tests passed,,,ok"), rows.toString());
        assertTrue(rows.stream().anyMatch(l -> l.matches("choose,tweedie,10 of 11 programs,,,bf16,[0-9]+,s,,,failed \\(1\\): "
                + "tweedie: cuda: cuMemAlloc failed; out of memory; at decode:1")),
                rows.toString());
        assertTrue(rows.contains("bench,tweedie,unet,1,graphs,f16,7.120,ms,7.000,2,ok"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,unet,2,graphs,f16,8.000,ms,7.900,,ok"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,unet,2,graphs,f16,7.800,device ms,,,ok"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,decode,1,graphs,bf16,,,,,failed (1): tweedie: cuda: cuMemAlloc failed; out of "
                + "memory"), rows.toString());
        assertTrue(rows.contains("bench,tweedie,encode-vjp,1,graphs,bf16,7.120,ms,7.000,2,ok"), rows.toString());
        assertTrue(rows.contains("restore,tweedie,restore,1,graphs,f16,12.50,s,,,ok"), rows.toString());
        JsonArray json = JsonParser.parseString(Files.readString(folder.resolve("results/results.json"))).getAsJsonArray();
        assertEquals(rows.size() - 1, json.size());
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *guided UNet step, batch 2, ms +8.00 +at most 9.5 +reached")), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *guided UNet step, batch 2: host and copies, % of the time +2.5 +at "
                + "most 5 +reached")), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *STSL inner step: host and copies, % of the time +not run +at most 5 "
                + "+not measured")), "it has no time by the card: " + r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *decoder forward \\+ VJP over forward +not run +at most 2.1 +not "
                + "measured")), r.out);
        assertTrue(r.out.lines().anyMatch(l -> l.matches(" *50 x 5 restoration at 512 px, s +12.50 +at most 10 +missed")), r.out);
    }

    @Test
    void theOnlyThingOfAListIsNamedToo() throws Exception {
        environment.put("RESTORE_FAILS", "yes");
        Ran r = check("bench/gpu-check", "--pack", standIn().toString(), "--only", "restore", "--out", "results");
        assertEquals(1, r.code, r.err);
        assertTrue(r.out.contains("  restore: tweedie restore 1 graphs f16: failed (1): tweedie: cuda: cuLaunchKernel failed"),
                r.out);
    }

    /** memcheck reaches its time limit, which `timeout` reports with 124; racecheck ends by itself. */
    @Test
    void sanitizerSaysHowFarItCame() throws Exception {
        program("bin/compute-sanitizer", """
                #!/usr/bin/env bash
                tool=$2
                while [[ $1 != */java ]]; do shift; done
                "$@"
                [[ $tool != memcheck ]] || exit 124
                echo "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"
                """);
        Ran r = check("bench/gpu-check", "--pack", standIn().toString(), "--only", "sanitizer", "--out", "results");
        assertEquals(1, r.code, r.err);
        List<String> rows = Files.readAllLines(folder.resolve("results/results.csv"));
        assertTrue(rows.contains("sanitizer,tweedie,memcheck,,,,,,,,time limit; after 0 cases; the last begun NoiseTest > "
                + "same(Kind) > [1] kind=1; 7"), rows.toString());
        assertTrue(rows.contains("sanitizer,tweedie,racecheck,,,,0,findings,,,ok"), rows.toString());
    }
}
