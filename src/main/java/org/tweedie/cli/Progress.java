// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.time.Duration;
import java.time.Instant;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far a run is, on standard error: a bar on a terminal, elsewhere a plain line about every tenth of the way. */
final class Progress implements AutoCloseable {
    private final String what;
    private final long total;
    private final ProgressBar bar;
    private final Instant start = Instant.now();
    private long tenths;

    /** @param what the word before the bar; @param total where {@link #at} ends */
    Progress(String what, long total) {
        this.what = what;
        this.total = total;
        Integer columns = Integer.getInteger("tweedie.columns"); // the launcher sets it on a terminal
        bar = columns == null ? null : new ProgressBarBuilder().setTaskName(what).setInitialMax(total).setUpdateIntervalMillis(200)
                .setStyle(ProgressBarStyle.ASCII).setConsumer(new Line(columns)).build();
    }

    /** @param message what is known now, as in {@code residual 2.31} */
    void at(long done, String message) {
        if (bar != null) {
            bar.stepTo(done);
            bar.setExtraMessage(" " + message);
        } else if (done * 10 / total > tenths) {
            tenths = done * 10 / total;
            long seconds = Duration.between(start, Instant.now()).toSeconds();
            System.err.println("tweedie: " + what + " " + done * 100 / total + " %, " + message + ", " + seconds + " s"
                    + (done < total ? ", about " + seconds * (total - done) / done + " s left" : ""));
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }

    /** Rewrites one line of a terminal. */
    private record Line(int columns) implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return Math.max(20, columns - 1);
        }

        @Override
        public void accept(String rendered) {
            System.err.print("\r" + rendered);
        }

        @Override
        public void close() {
            System.err.println();
        }
    }
}
