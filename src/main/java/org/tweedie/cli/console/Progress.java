// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.console;

import java.time.Duration;
import java.time.Instant;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows the progress of a run on standard error: as a bar on a terminal, elsewhere as a line about every 10 % of the run. */
public final class Progress implements AutoCloseable {
    private final String what;
    private final ProgressBar bar;
    private final Instant start = Instant.now();
    private long tenths;

    /** @param what the word before the bar */
    public Progress(String what) {
        this.what = what;
        Integer columns = Integer.getInteger("tweedie.columns"); // the launcher sets it on a terminal
        bar = columns == null ? null : new ProgressBarBuilder().setTaskName(what).setInitialMax(1).setUpdateIntervalMillis(200)
                .setStyle(ProgressBarStyle.ASCII).setConsumer(new Line(columns)).build();
    }

    /** Shows the number of steps that are done. @param message the latest result, for example {@code residual 2.31} */
    public void at(long done, long total, String message) {
        if (bar != null) {
            bar.maxHint(total);
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
