package io.tombolo.deploy.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class ReportPageTest {
    private static final Pattern DATA = Pattern.compile(
            "<script id=\"data\" type=\"application/json\">([^<]*)</script>", Pattern.DOTALL);

    @Test
    void noTextOfTheDataEndsItsElementOrBecomesAnythingElse() throws JsonProcessingException {
        String hostile = "</script><script>alert(1)</script> <!--<script> $1 \\ /*CHART_JS*/ /*DATA*/ /*INCLUDE page.js*/";
        String json = new ObjectMapper().writeValueAsString(hostile);

        String page = ReportPage.html(ReportPage.class, "report.html", json);

        Matcher data = DATA.matcher(page);
        assertThat(data.find()).isTrue();
        assertThat(new ObjectMapper().readValue(data.group(1), String.class)).isEqualTo(hostile);
        assertThat(page).doesNotContain("<!--").doesNotContain("alert(1)</script>");
    }

    @Test
    void refusesATemplateThatIsNotThere() {
        assertThatThrownBy(() -> ReportPage.html(ReportPage.class, "other.html", "{}"))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("other.html");
    }
}
