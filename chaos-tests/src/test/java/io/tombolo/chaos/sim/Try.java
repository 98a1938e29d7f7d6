package io.tombolo.chaos.sim;
public class Try { public static void main(String[] a) {
  ((ch.qos.logback.classic.Logger) org.slf4j.LoggerFactory.getLogger("io.tombolo")).setLevel(ch.qos.logback.classic.Level.OFF);
  long from=Long.parseLong(a[0]); long n=Long.parseLong(a[1]); boolean t=a.length>2;
  Simulator s=new Simulator(Wiring.SOUND); long steps=0,h=0,bad=0,pm=0; long t0=System.nanoTime();
  java.util.Map<String,Integer> kinds=new java.util.TreeMap<>();
  for(long i=from;i<from+n;i++){ var o=s.run(i,t); steps+=o.steps(); h+=o.handoffs(); pm+=o.pagesMoved(); if(t) o.trace().forEach(System.out::println);
    if(o.failed()){ bad++; if(kinds.merge(o.violation().replaceAll("[0-9]+","#").substring(0,Math.min(60,o.violation().replaceAll("[0-9]+","#").length())),1,Integer::sum)<=2){ System.out.println(i+": "+o.violation()); if(o.cause()!=null&&kinds.size()<10) o.cause().printStackTrace(System.out);} } }
  double sec=(System.nanoTime()-t0)/1e9; System.out.printf("%d schedules %.1f/s steps %d (%.0f/schedule) handoffs %d pages %d violations %d%n",n,n/sec,steps,(double)steps/n,h,pm,bad); kinds.forEach((k,v)->System.out.println(v+" "+k));
}}
