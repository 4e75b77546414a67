// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A folder must appear complete or not at all, whatever goes wrong. */
class RedistributableTest {
    private static final Redistributable.Listener DEAF = (done, doing) -> { };

    @TempDir
    private Path root;
    private Path jar;
    private Path target;
    private Redistributable two;

    @BeforeEach
    void jar() throws IOException {
        jar = FakeJar.write(root.resolve("jar/cuda-1.2-redist.jar"));
        target = root.resolve("cache/tweedie/cuda-1.2");
        two = FakeJar.of(jar, "libone.so.1", "libtwo.so.2");
    }

    private List<String> beside() throws IOException {
        try (var all = Files.list(target.getParent())) {
            return all.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    private String fault(Redistributable what, Redistributable.Listener listener) {
        return assertThrows(IOException.class, () -> what.unpack(jar, target, listener)).getMessage();
    }

    @Test
    void unpacksWhatIsWantedAndNothingElse() throws IOException {
        long[] last = new long[1];
        two.unpack(jar, target, (done, doing) -> {
            assertTrue(done > last[0], doing);
            last[0] = done;
            assertFalse(Files.exists(target), "the name is given last");
        });
        assertEquals(two.work(), last[0]);
        assertArrayEquals(FakeJar.content("libone.so.1"), Files.readAllBytes(target.resolve("libone.so.1")));
        assertArrayEquals(FakeJar.content("libtwo.so.2"), Files.readAllBytes(target.resolve("libtwo.so.2")));
        assertTrue(two.isIn(target));
        assertFalse(Files.exists(target.resolve("libother.so.2")));
        assertEquals(List.of("cuda-1.2", "cuda-1.2.lock"), beside());
    }

    @Test
    void whatIsThereIsNotWrittenAgain() throws IOException {
        two.unpack(jar, target, DEAF);
        two.unpack(root.resolve("none.jar"), target, (done, doing) -> {
            throw new AssertionError(doing);
        });
        assertTrue(two.isIn(target));
    }

    @Test
    void aFolderThatLostAFileIsMadeAgain() throws IOException {
        two.unpack(jar, target, DEAF);
        Files.delete(target.resolve("libone.so.1"));
        assertFalse(two.isIn(target));
        two.unpack(jar, target, DEAF);
        assertTrue(two.isIn(target));
    }

    @Test
    void anotherJarIsRefused() throws IOException {
        String right = two.sha256();
        try (RandomAccessFile f = new RandomAccessFile(jar.toFile(), "rw")) {
            f.seek(1000);
            f.write(f.read() ^ 1);
        }
        String wrong = FakeJar.of(jar).sha256();
        assertEquals(jar + ": expected SHA-256 " + right + ", got " + wrong + "; delete it and fetch it again", fault(two, DEAF));
        assertEquals(List.of("cuda-1.2.lock"), beside());
    }

    @Test
    void aCutJarIsRefusedBeforeItIsRead() throws IOException {
        try (FileChannel c = FileChannel.open(jar, StandardOpenOption.WRITE)) {
            c.truncate(5000);
        }
        assertEquals(jar + ": expected cuda-1.2-redist.jar of " + two.bytes() + " bytes, got 5000; delete it and fetch it again",
                fault(two, DEAF));
    }

    @Test
    void aJarWithoutAFileIsRefusedAndNothingStays() throws IOException {
        Redistributable three = FakeJar.of(jar, "libone.so.1", "libthree.so.3");
        assertEquals(jar + ": expected org/example/cuda/linux-x86_64/libthree.so.3 in it, got a jar without; fetch "
                + "org.example:cuda:1.2:jar:redist again",
                fault(three, DEAF));
        assertEquals(List.of("cuda-1.2.lock"), beside());
    }

    @Test
    void noRoomIsToldBeforeAnythingIsWritten() throws IOException {
        Redistributable huge = new Redistributable(two.artifact(), two.sha256(), two.bytes(), 1L << 60, two.folder(),
                two.files());
        String fault = fault(huge, DEAF);
        assertTrue(fault.startsWith(target.getParent() + ": expected 1152921504674 MB free to unpack cuda-1.2-redist.jar, got "),
                fault);
        assertTrue(fault.contains("MB; make room, or name another disk with XDG_CACHE_HOME"), fault);
        assertEquals(List.of("cuda-1.2.lock"), beside());
    }

    @Test
    void anInterruptLeavesNothingBehind() throws IOException {
        String fault = fault(two, (done, doing) -> {
            if (doing.equals("unpacking libtwo.so.2")) {
                Thread.currentThread().interrupt();
            }
        });
        assertEquals(jar + ": unpacking was interrupted; no files were left behind", fault);
        assertFalse(Thread.interrupted(), "the interrupt was answered");
        assertEquals(List.of("cuda-1.2.lock"), beside());
    }

    @Test
    void anInterruptWhileCheckingIsTheSame() throws IOException {
        assertEquals(jar + ": unpacking was interrupted; no files were left behind",
                fault(two, (done, doing) -> Thread.currentThread().interrupt()));
        assertEquals(List.of("cuda-1.2.lock"), beside());
    }

    @Test
    void whatAKilledRunLeftIsRemoved() throws IOException {
        Path part = Files.createDirectories(root.resolve("cache/tweedie/cuda-1.2.part"));
        Files.writeString(part.resolve("libone.so.1"), "half");
        Files.writeString(part.resolve("stray"), "half");
        two.unpack(jar, target, DEAF);
        assertTrue(two.isIn(target));
        assertFalse(Files.exists(target.resolve("stray")));
        assertEquals(List.of("cuda-1.2", "cuda-1.2.lock"), beside());
    }

    @Test
    void oneProcessAtATime() throws IOException {
        Files.createDirectories(target.getParent());
        try (FileChannel c = FileChannel.open(root.resolve("cache/tweedie/cuda-1.2.lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
                FileLock lock = c.lock()) {
            assertTrue(lock.isValid());
            assertEquals(target + ": another process is unpacking there; wait for it to end", fault(two, DEAF));
        }
    }

    @Test
    void theRealOneLiesWhereMavenPutsIt() {
        assertEquals(Path.of("org/bytedeco/cuda/12.6-9.5-1.5.11/cuda-12.6-9.5-1.5.11-linux-x86_64-redist.jar"),
                Redistributable.CUDA_12_6.jarPath());
    }
}
