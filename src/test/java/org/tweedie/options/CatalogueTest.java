// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that the records of this test's package that implement a seam are found and made by name. */
class CatalogueTest {
    private static final Catalogue<Shape> SHAPES = Catalogue.of(Shape.class);

    /** A seam. */
    interface Shape {}

    /** The filling of a shape. */
    enum Fill { PLAIN, DOTTED_LINE }

    @Described(name = "circle", text = "A circle.", source = "Euclid")
    record Circle(@Option(value = "1", above = 0, text = "Its radius.", symbol = "r") double radius,
            @Option(value = "plain", text = "How it is filled.") Fill insideFill) implements Shape {
        Circle {
            Options.check(Circle.class, radius, insideFill);
        }
    }

    @Described(name = "ring", text = "Circles around each other.")
    record Ring(@Option(value = "2", min = 1, max = 9, text = "How many.") int count,
            @Option(value = "false", text = "Whether it is closed.") boolean closed,
            @Option(value = "circle", text = "Each of them.") Shape each) implements Shape {
        Ring {
            Options.check(Ring.class, count, closed, each);
        }
    }

    @Test
    void theRecordsOfThePackageAreFound() {
        assertEquals(List.of("circle", "ring"), SHAPES.names());
        assertEquals(List.of("radius", "inside-fill"), SHAPES.options("circle").names());
        assertEquals("Euclid", SHAPES.options("circle").described().source());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"circle;circle", "circle:radius=1.0;circle",
            "circle:radius=2.50,inside-fill=dotted-line;circle:radius=2.5,inside-fill=dotted-line",
        "ring:closed;ring:closed=true", "ring:each=circle:radius=3;ring:each=circle:radius=3",
        "ring:each=[circle:radius=3,inside-fill=dotted-line],count=4;"
            + "ring:count=4,each=[circle:radius=3,inside-fill=dotted-line]"})
    void specsAreReadAndWritten(String asked, String canonical) {
        Shape made = SHAPES.parse(asked);
        assertEquals(canonical, SHAPES.spec(made));
        assertEquals(made, SHAPES.parse(canonical));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '@', value = {"circel@shape 'circel': unknown; did you mean 'circle'?; known: circle, ring",
        "circle:radius=x@radius: expected a number, got 'x'", "circle:radius=0@radius: expected more than 0, got 0",
        "circle:radius=NaN@radius: expected more than 0, got NaN", "ring:count=10@count: expected 1 to 9, got 10",
        "ring:count=2.5@count: expected a whole number, got '2.5'",
        "circle:raduis=1@circle: option 'raduis': unknown; did you mean 'radius'?; known: radius, inside-fill",
        "circle:inside-fill=dotted@inside-fill: expected plain, dotted-line, got 'dotted'; did you mean 'dotted-line'?",
        "ring:each=square@shape 'square': unknown; known: circle, ring"})
    void saysWhatIsWrong(String asked, String message) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, () -> SHAPES.parse(asked)).getMessage());
    }

    @Test
    void aRecordChecksItsComponentsItself() {
        assertEquals("radius: expected more than 0, got -1",
                assertThrows(IllegalArgumentException.class, () -> new Circle(-1, Fill.PLAIN)).getMessage());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new Circle(1, null)).getMessage()
                .startsWith("inside-fill: expected plain"));
        assertEquals(Map.of("radius", "3", "inside-fill", "plain"), SHAPES.options("circle").values(new Circle(3, Fill.PLAIN)));
    }
}
