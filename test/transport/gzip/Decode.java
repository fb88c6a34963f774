import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Prints an event stream as soon as it is decoded, by GZIPInputStream: java Decode.java URL */
public class Decode {
  public static void main(String[] args) throws Exception {
    trustTheTest();
    HttpURLConnection connection = (HttpURLConnection) URI.create(args[0]).toURL().openConnection();
    connection.setRequestProperty("accept", "text/event-stream");
    connection.setRequestProperty("accept-encoding", "gzip");
    if (!"gzip".equals(connection.getHeaderField("content-encoding"))) throw new Exception("Not compressed");
    try (InputStream decoded = new GZIPInputStream(connection.getInputStream())) {
      byte[] buffer = new byte[8192];
      for (int length; (length = decoded.read(buffer)) >= 0;) {
        System.out.write(buffer, 0, length);
        System.out.flush();
      }
    }
    System.out.println("whole");
  }

  /** Its certificate is its own, and names an address. */
  private static void trustTheTest() throws Exception {
    X509TrustManager all = new X509TrustManager() {
      public void checkClientTrusted(X509Certificate[] chain, String type) {}
      public void checkServerTrusted(X509Certificate[] chain, String type) {}
      public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    };
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {all}, null);
    HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
    HttpsURLConnection.setDefaultHostnameVerifier((name, session) -> true);
  }
}
