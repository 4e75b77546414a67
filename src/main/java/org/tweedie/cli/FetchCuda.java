// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.tweedie.cli.console.Notes;
import org.tweedie.cli.console.Numbers;
import org.tweedie.cli.console.Progress;
import org.tweedie.device.nvidia.Maven;
import org.tweedie.device.nvidia.Redistributable;

/** Fetches NVIDIA's libraries into a folder, or unpacks them from a jar that the user has already. */
record FetchCuda(Redistributable what, Path target, Maven maven) {
    private static final int SECONDS_TO_CLEAN = 30;

    /**
     * Fetches and unpacks the libraries, unless they are in the folder already.
     *
     * @param given the jar; null to have Maven fetch it
     * @return a sentence that says what was done
     */
    String run(Path given) throws IOException {
        if (what.isIn(target)) {
            return "already in " + target + "; nothing to do";
        }
        Thread worker = Thread.currentThread();
        CountDownLatch clean = new CountDownLatch(1);
        Thread hook = new Thread(() -> stop(worker, clean));
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            Path jar = given == null ? fetch() : given;
            try (Progress progress = new Progress("unpacking")) {
                what.unpack(jar, target, (done, message) -> progress.at(done, what.work(), message));
            }
            return "unpacked " + what.files().size() + " files, " + Numbers.bytes(what.unpacked()) + ", into " + target
                    + (given == null ? "; the jar stays in " + jar + " and may be deleted" : "");
        } finally {
            clean.countDown();
            unhook(hook);
        }
    }

    private Path fetch() throws IOException {
        Notes.note("Maven fetches " + what.artifact() + ", " + Numbers.bytes(what.bytes())
                + ", unless its repository has it already");
        try (Progress progress = new Progress("fetching")) {
            return maven.fetch(what, (done, message) -> progress.at(done, what.bytes(), message));
        }
    }

    /** Called on Ctrl-C: stops the work and waits until it has removed the files that it had written. */
    private static void stop(Thread worker, CountDownLatch clean) {
        worker.interrupt();
        try {
            clean.await(SECONDS_TO_CLEAN, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void unhook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the work was ended by this shutdown hook
        }
    }
}
