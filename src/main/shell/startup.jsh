// SPDX-License-Identifier: Apache-2.0
// What './tweedie shell' imports besides JShell's own defaults, which include java.nio.file and java.util.
import org.tweedie.*;
import org.tweedie.device.*;
import org.tweedie.diffusion.*;
import org.tweedie.image.*;
import org.tweedie.inverse.*;
import org.tweedie.measure.*;
import org.tweedie.metrics.*;
import org.tweedie.options.*;
import org.tweedie.program.*;
import org.tweedie.sample.*;
import org.tweedie.solve.*;
import org.tweedie.transform.*;
