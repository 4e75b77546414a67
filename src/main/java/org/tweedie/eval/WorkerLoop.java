// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The other end of a {@link WorkerProcess}: reads a key from each line of its input and answers each with a line, which is a
 * cell or a {@link CellFailure}. It ends when the input ends, which also happens when the other process is killed.
 */
public final class WorkerLoop {
    private static final String END = "";

    private final CellMaker maker;
    private final PrintStream out;
    private final Runnable abandon;
    private final BlockingQueue<String> keys = new LinkedBlockingQueue<>();
    private final AtomicInteger open = new AtomicInteger();

    /** @param abandon ends this process at once; it is called when the input ends before a cell is made */
    public WorkerLoop(CellMaker maker, PrintStream out, Runnable abandon) {
        this.maker = maker;
        this.out = out;
        this.abandon = abandon;
    }

    /** Answers lines until the input ends. */
    public void run(InputStream in) throws IOException {
        Thread.ofPlatform().daemon().name("keys").start(() -> read(in));
        try {
            for (String line = keys.take(); !line.equals(END); line = keys.take()) {
                String answer = answer(line);
                open.decrementAndGet();
                out.println(answer);
                out.flush();
            }
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    private String answer(String line) throws IOException {
        try {
            return maker.make(Cell.Key.of(line)).line();
        } catch (CellFailure e) {
            return e.line();
        }
    }

    private void read(InputStream in) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                open.incrementAndGet();
                keys.add(line);
            }
        } catch (IOException e) {
            System.err.println("tweedie: the input of keys ended: " + e.getMessage());
        }
        if (open.get() > 0) {
            abandon.run();
        }
        keys.add(END);
    }
}
